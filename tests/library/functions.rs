//! The functions that need no client: plan, store, resolve.

use authenticate::{
    Error,
    credential::{Address, Credential, Metadata},
    exit,
    login::{Login, LoginError, LoginOptions, cancel},
    provider::{Mode, Registry},
    resolve::{Lookup, Request, resolve},
    store::{Store, Swap},
};
use jiff::{SignedDuration, Timestamp};
use test_support::{Home, KEY, name};

use crate::script::{Script, resolves};

#[test]
fn a_key_that_is_asked_for_is_stored_and_resolved() {
    let home = Home::new();
    let ui = Script { secret: Some(KEY), ..Script::default() };
    let login =
        Login::plan(&home.paths, &name("demo"), "openai", LoginOptions::default(), &ui).expect("planned");
    assert_eq!((login.mode(), login.address().to_string()), (Mode::ApiKey, "openai".to_owned()));
    assert!(ui.said().is_empty(), "one mode is no question");
    let record = login.store_key(&ui).expect("stored");
    assert_eq!(record.credential, Credential::api_key(KEY));
    assert_eq!(ui.said(), ["API key for OpenAI"]);
    assert_eq!(resolves(&home, "openai").expect("resolved"), KEY);
}

#[test]
fn planning_attempts_nothing() {
    let home = Home::new();
    let ui = Script { mode: Some(Mode::Oauth), ..Script::default() };
    let login = Login::plan(&home.paths, &name("demo"), "claude-code", LoginOptions::default(), &ui)
        .expect("planned");
    assert_eq!(login.mode(), Mode::Oauth);
    assert_eq!(login.provider().name, "claude");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]"]);
    assert!(!home.paths.data().exists());
}

#[test]
fn the_set_is_the_callers_or_else_the_projects() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    let ui = Script::default();
    let set = |how: LoginOptions| {
        let login = Login::plan(&home.paths, &name("shop"), "openai", how, &ui).expect("planned");
        login.address().set.to_string()
    };
    assert_eq!(set(LoginOptions::default()), "team");
    assert_eq!(set(LoginOptions { set: Some(name("own")), ..LoginOptions::default() }), "own");
}

#[test]
fn the_whole_of_it_in_one_call() {
    let home = Home::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ui = Script {
        mode: Some(Mode::ApiKey),
        secret: Some("sk-ant-0123456789-abcdefghij"),
        ..Script::default()
    };
    let (_interrupter, mut interrupt) = cancel::pair();
    let profile = LoginOptions { profile: Some(name("work")), ..LoginOptions::default() };
    let demo = name("demo");
    let login = authenticate::authenticate(&home.paths, &demo, "claude", profile, &ui, &mut interrupt);
    let record = runtime.block_on(login).expect("stored");
    assert_eq!(record.address.to_string(), "claude:work");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]", "API key for Claude Code"]);
}

#[test]
fn errors_have_their_exit_codes_and_nothing_of_the_key() {
    let home = Home::new();
    let store =
        |provider: &str, key: &str| authenticate::store_api_key(&home.paths, provider, &key.into(), None);
    type Expected = fn(&Error) -> bool;
    let refused: [(&str, &str, Expected); 4] = [
        ("opnai", KEY, |error| matches!(error, Error::UnknownProvider(_))),
        ("openai", "CANARY", |error| {
            matches!(error, Error::Login(LoginError::BadKey { forceable: true, .. }))
        }),
        ("openai", "CANARY\nCANARY", |error| matches!(error, Error::Login(LoginError::BadKey { .. }))),
        ("slack", KEY, |error| matches!(error, Error::Login(LoginError::NoSuchMode { .. }))),
    ];
    for (provider, key, expected) in refused {
        let error = store(provider, key).expect_err(provider);
        assert!(expected(&error), "{error:?}");
        assert_eq!(error.exit_code(), exit::USAGE);
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("CANARY"), "{error:?}");
    }
    assert!(!home.paths.data().exists());
    let none = resolves(&home, "openai").expect_err("nothing");
    assert_eq!(none.exit_code(), exit::NO_CREDENTIAL);
}

#[test]
fn an_api_key_goes_to_its_set() {
    let home = Home::new();
    authenticate::store_api_key(&home.paths, "openai", &KEY.into(), Some(&name("team"))).expect("stored");
    let request = Request { set: Some(name("team")), ..Request::new(&name("demo"), "openai") };
    let found = resolve(&home.paths, &request).and_then(Lookup::without_refresh).expect("resolved");
    assert_eq!(found.credential, Credential::api_key(KEY));
    assert!(resolves(&home, "openai").is_err(), "not in the default set");
}

#[test]
fn an_expired_credential_is_not_handed_out() {
    let home = Home::new();
    let past =
        Metadata { expires_at: Some(Timestamp::now() - SignedDuration::from_secs(1)), ..Metadata::default() };
    let mut store = Store::open(home.paths.data()).expect("a store");
    store
        .put(&Address::default_profile(name("gh")), &Credential::Token { token: KEY.into() }, &past)
        .expect("stored");
    let error = resolves(&home, "gh").expect_err("expired");
    assert!(matches!(error, Error::Expired { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[test]
fn a_store_in_memory_is_a_store() {
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
fn the_registry_lays_ones_own_files_over_the_bundled_ones() {
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
