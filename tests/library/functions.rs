//! The functions that need no client: plan, store, resolve.

use std::sync::Arc;

use authenticate::{
    ConfigError, Error, ErrorKind, ResolveError, cancel_pair,
    context::Context,
    credential::{Address, Credential, Metadata},
    login::{Login, LoginError, LoginOptions},
    provider::{Mode, Registry},
    resolve::{Lookup, Request, resolve},
    store::{Store, Swap},
};
use jiff::{SignedDuration, Timestamp};
use test_support::{Home, KEY, name};

use crate::script::{Script, resolves};

/// Plans a login for a project, with this user interface.
fn plan(home: &Home, project: &str, provider: &str, options: LoginOptions, ui: &Arc<Script>) -> Login {
    let context = Context::new(home.paths.clone()).with_project(name(project)).with_ui(ui.clone());
    Login::plan(&context, provider, options).expect("planned")
}

#[test]
fn asked_key_is_stored_and_resolved() {
    let home = Home::new();
    let ui = Arc::new(Script { secret: Some(KEY), ..Script::default() });
    let login = plan(&home, "demo", "openai", LoginOptions::default(), &ui);
    assert_eq!((login.mode(), login.address().to_string()), (Mode::ApiKey, "openai".to_owned()));
    assert!(ui.said().is_empty(), "one mode is no question");
    let record = login.store_entered().expect("stored");
    assert_eq!(record.credential, Credential::api_key(KEY));
    assert_eq!(ui.said(), ["API key for OpenAI"]);
    assert_eq!(resolves(&home, "openai").expect("resolved"), KEY);
}

#[test]
fn plan_attempts_nothing() {
    let home = Home::new();
    let ui = Arc::new(Script { mode: Some(Mode::Oauth), ..Script::default() });
    let login = plan(&home, "demo", "claude-code", LoginOptions::default(), &ui);
    assert_eq!(login.mode(), Mode::Oauth);
    assert_eq!(login.provider().name, "claude");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]"]);
    assert!(!home.paths.data().exists());
}

#[test]
fn set_is_the_callers_or_else_the_projects() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    let ui = Arc::new(Script::default());
    let set = |options| plan(&home, "shop", "openai", options, &ui).address().set.to_string();
    assert_eq!(set(LoginOptions::default()), "team");
    assert_eq!(set(LoginOptions { set: Some(name("own")), ..LoginOptions::default() }), "own");
}

#[test]
fn authenticate_logs_in_with_one_call() {
    let home = Home::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let secret = Some("sk-ant-0123456789-abcdefghij");
    let ui = Arc::new(Script { mode: Some(Mode::ApiKey), secret, ..Script::default() });
    let (_handle, mut cancel) = cancel_pair();
    let profile = LoginOptions { profile: Some(name("work")), ..LoginOptions::default() };
    let (paths, demo) = (home.paths.clone(), name("demo"));
    let login = authenticate::authenticate(paths, demo, "claude", profile, ui.clone(), &mut cancel);
    let record = runtime.block_on(login).expect("stored");
    assert_eq!(record.address.to_string(), "claude:work");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]", "API key for Claude Code"]);
}

#[test]
fn errors_have_a_kind_and_never_the_key() {
    let home = Home::new();
    let store = |provider: &str, key: &str| {
        authenticate::store_api_key(home.paths.clone(), provider, &key.into(), None)
    };
    type Expected = fn(&Error) -> bool;
    let refused: [(&str, &str, Expected); 4] = [
        ("opnai", KEY, |error| matches!(error, Error::Config(ConfigError::UnknownProvider(_)))),
        ("openai", "CANARY", |error| {
            matches!(error, Error::Login(LoginError::BadKey { forceable: true, .. }))
        }),
        ("openai", "CANARY\nCANARY", |error| matches!(error, Error::Login(LoginError::BadKey { .. }))),
        ("slack", KEY, |error| matches!(error, Error::Login(LoginError::NoSuchMode { .. }))),
    ];
    for (provider, key, expected) in refused {
        let error = store(provider, key).expect_err(provider);
        assert!(expected(&error), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
    }
    assert!(!home.paths.data().exists());
    let none = resolves(&home, "openai").expect_err("nothing");
    assert_eq!(none.kind(), ErrorKind::NoCredential);
}

#[test]
fn api_key_is_stored_in_the_given_set() {
    let home = Home::new();
    let (paths, team) = (home.paths.clone(), name("team"));
    authenticate::store_api_key(paths.clone(), "openai", &KEY.into(), Some(&team)).expect("stored");
    let request = Request { set: Some(team), ..Request::new("openai") };
    let found = resolve(&Context::new(paths), &request).and_then(Lookup::without_refresh).expect("resolved");
    assert_eq!(found.credential, Credential::api_key(KEY));
    assert!(resolves(&home, "openai").is_err(), "not in the default set");
}

#[test]
fn expired_credential_is_not_handed_out() {
    let home = Home::new();
    let past =
        Metadata { expires_at: Some(Timestamp::now() - SignedDuration::from_secs(1)), ..Metadata::default() };
    let mut store = Store::open(home.paths.data()).expect("a store");
    store
        .put(&Address::default_profile(name("gh")), &Credential::Token { token: KEY.into() }, &past)
        .expect("stored");
    let error = resolves(&home, "gh").expect_err("expired");
    assert!(matches!(error, Error::Resolve(ResolveError::Expired { .. })), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[test]
fn store_in_memory_keeps_credentials() {
    let mut store = Store::in_memory().expect("a store");
    let address = Address::default_profile(name("openai"));
    let first = store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored");
    let second = store.swap(&address, first.version, &Credential::api_key("two"), &Metadata::default());
    assert!(matches!(second, Ok(Swap::Swapped(_))), "{second:?}");
    // Whoever comes with the old version gets what the winner wrote.
    let late = store.swap(&address, first.version, &Credential::api_key("late"), &Metadata::default());
    let Ok(Swap::Lost(Some(winner))) = late else { panic!("{late:?}") };
    assert_eq!(winner.credential, Credential::api_key("two"));
    assert_eq!(store.list(None).expect("listed").len(), 1);
    assert!(store.remove(&address).expect("removed").found);
    assert_eq!(store.get(&address).expect("read"), None);
}

#[test]
fn registry_merges_own_files_over_bundled_ones() {
    let home = Home::new();
    home.write("config/providers/openai.yaml", "label: Ours\n");
    home.write("config/providers/bad.yaml", "labl: x\n");
    let registry = Registry::load_all(&home.paths);
    let openai = registry.get("openai").expect("known");
    assert_eq!(openai.label, "Ours");
    assert_eq!(openai.layers().len(), 2);
    assert!(openai.api_key.is_some(), "the rest is as bundled");
    assert_eq!(registry.problems().len(), 1);
    assert!(registry.problems()[0].to_string().contains("bad.yaml:1:1"));
    let unknown = registry.get("opnai").expect_err("unknown");
    assert_eq!(unknown.nearest.as_deref(), Some("openai"));
    assert!(Registry::bundled().problems().is_empty());
}
