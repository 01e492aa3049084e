//! The library by itself: what a program can do without the command line.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{io, sync::Mutex};

use authenticate::{
    Client, Error,
    credential::{Credential, Metadata, OAuth, Owner, Record},
    exit,
    handout::headers::HeadersError,
    lifecycle::{
        resolve::{Request, Resolution, Source, resolve},
        state::State,
    },
    login::{Given, How, Login, LoginError, interrupt},
    name::{Address, Name},
    paths::Paths,
    provider::{Descriptor, Mode, Registry},
    secret::Secret,
    store::{SharedStore, Store, Swap},
    ui::{Console, Event, Nobody, Ui, UiError},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

const KEY: &str = "sk-CANARY-0123456789-abcdefghij";

/// Answers from a script, and keeps what it was asked and shown.
#[derive(Default)]
struct Script {
    mode: Option<Mode>,
    secret: Option<&'static str>,
    said: Mutex<Vec<String>>,
}

impl Script {
    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    fn hears(&self, text: String) {
        self.said.lock().unwrap().push(text);
    }
}

impl Ui for Script {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        self.hears(format!("{}: {modes:?}", provider.name));
        self.mode.ok_or(UiError::Interrupted)
    }

    fn ask_secret(&self, prompt: &str, _: Option<&str>) -> Result<Secret, UiError> {
        self.hears(prompt.to_owned());
        self.secret.map(Secret::from).ok_or_else(|| UiError::NobodyToAsk("nobody".into()))
    }

    fn show(&self, event: Event<'_>) {
        self.hears(format!("{event:?}"));
    }

    fn console(&self) -> io::Result<Console> {
        panic!("an API key needs no console")
    }

    fn browser_can_return(&self) -> bool {
        false
    }
}

struct Home {
    directory: TempDir,
    paths: Paths,
}

fn home() -> Home {
    let directory = TempDir::new().expect("a directory");
    let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
    Home { directory, paths }
}

impl Home {
    fn writes(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).expect("a directory");
        std::fs::write(path, text).expect("written");
    }

    fn resolves(&self, provider: &str) -> Result<String, Error> {
        let found = resolve(&self.paths, &Request::new(&name("demo"), provider))?.as_it_is()?;
        assert_eq!(found.source, Source::Stored);
        Ok(found.credential.usable().expect("one value").expose().to_owned())
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

#[test]
fn a_key_that_is_asked_for_is_stored_and_resolved() {
    let home = home();
    let ui = Script { secret: Some(KEY), ..Script::default() };
    let login = Login::plan(&home.paths, &name("demo"), "openai", How::default(), &ui).expect("planned");
    assert_eq!((login.mode(), login.address().to_string()), (Mode::ApiKey, "openai".to_owned()));
    assert!(ui.said().is_empty(), "one mode is no question");
    let record = login.store_key(&ui).expect("stored");
    assert_eq!(record.credential, Credential::api_key(KEY));
    assert_eq!(ui.said(), ["API key for OpenAI"]);
    assert_eq!(home.resolves("openai").expect("resolved"), KEY);
}

#[test]
fn planning_attempts_nothing() {
    let home = home();
    let ui = Script { mode: Some(Mode::Oauth), ..Script::default() };
    let login = Login::plan(&home.paths, &name("demo"), "claude-code", How::default(), &ui).expect("planned");
    assert_eq!(login.mode(), Mode::Oauth);
    assert_eq!(login.provider().name, "claude");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]"]);
    assert!(!home.paths.data().exists());
}

#[test]
fn the_set_is_the_callers_or_else_the_projects() {
    let home = home();
    home.writes("config/projects/shop.yaml", "credential_set: team\n");
    let ui = Script::default();
    let set = |how: How| {
        let login = Login::plan(&home.paths, &name("shop"), "openai", how, &ui).expect("planned");
        login.address().set.to_string()
    };
    assert_eq!(set(How::default()), "team");
    assert_eq!(set(How { set: Some(name("own")), ..How::default() }), "own");
}

#[test]
fn the_whole_of_it_in_one_call() {
    let home = home();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ui = Script {
        mode: Some(Mode::ApiKey),
        secret: Some("sk-ant-0123456789-abcdefghij"),
        ..Script::default()
    };
    let (_interrupter, mut interrupt) = interrupt::pair();
    let profile = How { profile: Some(name("work")), ..How::default() };
    let demo = name("demo");
    let login = authenticate::authenticate(&home.paths, &demo, "claude", profile, &ui, &mut interrupt);
    let record = runtime.block_on(login).expect("stored");
    assert_eq!(record.address.to_string(), "claude:work");
    assert_eq!(ui.said(), ["claude: [Oauth, ApiKey, Token]", "API key for Claude Code"]);
}

#[test]
fn errors_have_their_exit_codes_and_nothing_of_the_key() {
    let home = home();
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
    let none = home.resolves("openai").expect_err("nothing");
    assert_eq!(none.exit_code(), exit::NO_CREDENTIAL);
}

#[test]
fn an_api_key_goes_to_its_set() {
    let home = home();
    authenticate::store_api_key(&home.paths, "openai", &KEY.into(), Some(&name("team"))).expect("stored");
    let request = Request { set: Some(name("team")), ..Request::new(&name("demo"), "openai") };
    let found = resolve(&home.paths, &request).and_then(Resolution::as_it_is).expect("resolved");
    assert_eq!(found.credential, Credential::api_key(KEY));
    assert!(home.resolves("openai").is_err(), "not in the default set");
}

#[test]
fn an_expired_credential_is_not_handed_out() {
    let home = home();
    let past =
        Metadata { expires_at: Some(Timestamp::now() - SignedDuration::from_secs(1)), ..Metadata::default() };
    let mut store = Store::open(home.paths.data()).expect("a store");
    store.put(&Address::of(name("gh")), &Credential::Token { token: KEY.into() }, &past).expect("stored");
    let error = home.resolves("gh").expect_err("expired");
    assert!(matches!(error, Error::Expired { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[test]
fn a_store_in_memory_is_a_store() {
    let mut store = Store::in_memory().expect("a store");
    let address = Address::of(name("openai"));
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
    let home = home();
    home.writes("config/providers/openai.yaml", "label: Ours\n");
    home.writes("config/providers/bad.yaml", "labl: x\n");
    let registry = Registry::load(Some(&home.paths.providers()));
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

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn in_memory(home: &Home) -> Client {
    Client::in_memory(home.paths.clone()).expect("a client")
}

async fn logs_in(client: &Client, provider: &str, how: How) -> Result<Record, Error> {
    client.login(provider, how, &Nobody, &mut interrupt::pair().1).await
}

fn key(key: &str) -> How {
    How { api_key: Some(key.into()), ..How::default() }
}

#[test]
fn a_client_in_memory_leaves_nothing_on_the_disk() {
    let home = home();
    let client = in_memory(&home);
    block_on(async {
        assert!(!client.is_authenticated("openai").expect("known"));
        logs_in(&client, "openai", key(KEY)).await.expect("stored");
        assert!(client.is_authenticated("openai").expect("known"));
        let found = client.clone().credential("openai").await.expect("found");
        assert_eq!((&found.source, &found.credential), (&Source::Stored, &Credential::api_key(KEY)));
        client.logout("openai", None).await.expect("removed");
        let error = client.logout("openai", None).await.expect_err("nothing left");
        assert_eq!(error.exit_code(), exit::NO_CREDENTIAL);
        let error = client.credential("openai").await.expect_err("removed");
        assert_eq!(error.exit_code(), exit::NO_CREDENTIAL);
    });
    assert!(!home.paths.data().exists());
}

#[test]
fn a_client_uses_the_same_store_as_everybody() {
    let home = home();
    let client = Client::new(home.paths.clone());
    assert_eq!(client.list().expect("listed"), []);
    assert!(block_on(client.logout("openai", None)).is_err(), "nothing to remove");
    assert!(block_on(client.logout_all()).expect("nothing to remove").is_empty());
    assert!(!home.paths.data().exists(), "looking makes nothing");
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    assert_eq!(home.resolves("openai").expect("resolved"), KEY);
}

#[test]
fn a_client_logs_in_and_out_of_several_at_once() {
    let home = home();
    home.writes("config/projects/shop.yaml", "credential_set: team\n");
    let client = in_memory(&home).project(name("shop"));
    let how = |provider: &str| match provider {
        "openai" => key(KEY),
        "groq" => key("gsk_0123456789abcdefghijkl"),
        _ => How::default(),
    };
    let providers = ["openai", "mistral", "groq", "opnai"];
    let results = block_on(client.login_all(&providers, how, &Nobody, &mut interrupt::pair().1));
    let well: Vec<_> = results.iter().map(|(provider, result)| (provider.as_str(), result.is_ok())).collect();
    assert_eq!(well, [("openai", true), ("mistral", false), ("groq", true), ("opnai", false)]);
    let other = client.clone().project(name("demo"));
    block_on(logs_in(&other, "openai", key(KEY))).expect("stored");
    let removed = block_on(client.logout_all()).expect("removed");
    assert!(removed.iter().all(|(_, left)| left.is_ok()));
    let removed: Vec<_> = removed.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(removed, ["groq (set team)", "openai (set team)"]);
    assert!(other.is_authenticated("openai").expect("known"), "another project's are left");
}

#[test]
fn a_client_lists_what_can_be_done() {
    let home = home();
    let client = in_memory(&home);
    block_on(logs_in(&client, "claude", key("sk-ant-0123456789-abcdefghij"))).expect("stored");
    let list = client.list().expect("listed");
    let [entry] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!(
        (entry.label.as_str(), &entry.modes),
        ("Claude Code", &vec![Mode::Oauth, Mode::ApiKey, Mode::Token])
    );
    let found = entry.found.as_ref().expect("configured");
    assert_eq!((found.state, found.refreshable, found.revocable), (State::Ok, false, false));
    let all = client.list_all().expect("listed");
    let codex = all.iter().find(|entry| entry.address.provider.as_str() == "codex").expect("known");
    assert_eq!(codex.found, None);
    assert_eq!(block_on(client.refresh_all(false)).expect("none").len(), 0);
}

#[test]
fn what_a_client_is_given_wins_and_is_not_stored() {
    let home = home();
    let client = in_memory(&home);
    block_on(async {
        logs_in(&client, "claude", key("sk-ant-0123456789-stored")).await.expect("stored");
        let given = client.clone().give("claude-code", Credential::api_key("sk-given")).expect("known");
        let found = given.credential("claude").await.expect("found");
        assert_eq!((&found.source, &found.credential), (&Source::Override, &Credential::api_key("sk-given")));
        assert_eq!(client.credential("claude").await.expect("found").source, Source::Stored);
        assert!(matches!(
            client.clone().give("opnai", Credential::api_key("x")),
            Err(Error::UnknownProvider(_))
        ));
    });
}

#[test]
fn headers_are_for_the_providers_own_api() {
    let home = home();
    let local = "modes: [basic]\napi: {base_url: env:ACME_TEST_URL_UNSET, shape: own}\n";
    home.writes("config/providers/acme.yaml", local);
    let client = in_memory(&home);
    block_on(async {
        logs_in(&client, "openai", key(KEY)).await.expect("stored");
        let headers = client.headers("openai").await.expect("headers");
        let [header] = headers.as_slice() else { panic!("{headers:?}") };
        assert_eq!(
            (header.name.as_str(), header.value.expose()),
            ("Authorization", &*format!("Bearer {KEY}"))
        );
        assert!(!format!("{headers:?}").contains("CANARY"));
        let elsewhere = "https://example.com/v1".parse().expect("a URL");
        let error = client.headers_for("openai", &elsewhere).await.expect_err("another host");
        assert!(matches!(error, Error::Headers(HeadersError::OtherHost { .. })), "{error:?}");
        let mut fields = Given::default();
        fields.add("username", "ann".into(), true).expect("once");
        fields.add("password", "p".into(), false).expect("once");
        logs_in(&client, "acme", How { fields, ..How::default() }).await.expect("stored");
        let error = client.headers("acme").await.expect_err("no URL");
        assert_eq!(
            error.to_string(),
            "api.base_url of provider acme: the environment variable ACME_TEST_URL_UNSET is not set"
        );
        assert_eq!(error.exit_code(), exit::USAGE);
    });
}

/// Without the override the request might go to another host than the one that is meant.
#[test]
fn a_wrong_descriptor_gives_no_headers() {
    let home = home();
    let client = in_memory(&home);
    block_on(async {
        logs_in(&client, "openai", key(KEY)).await.expect("stored");
        home.writes("config/providers/openai.yaml", "api: {base_url: http://example.com}\n");
        assert!(matches!(client.headers("openai").await, Err(Error::Descriptor(_))));
    });
}

/// As `logout` does: it asks the vendor for OAuth logins of ours, if the vendor has a place for that.
#[test]
fn what_logout_would_revoke_is_revocable() {
    let home = home();
    home.writes(
        "config/providers/acme.yaml",
        "modes: [api_key]\nrevoke: {url: 'https://acme.example/revoke'}\n",
    );
    home.writes("config/providers/mute.yaml", "modes: [api_key]\n");
    let mut store = Store::open(home.paths.data()).expect("a store");
    let mut put = |at: &str, credential: Credential, owner: Owner| {
        let (provider, profile) = at.split_once(':').expect("a profile");
        let address = Address { profile: name(profile), ..Address::of(name(provider)) };
        store.put(&address, &credential, &Metadata { owner, ..Metadata::default() }).expect("stored");
    };
    let oauth = |extra: &[(&str, &str)]| {
        let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        Credential::OAuth(OAuth { access_token: "a".into(), refresh_token: None, id_token: None, extra })
    };
    let token_url = |host| ("login.token_url", host);
    let device = ("login.mode", "device");
    let revocation = ("login.revocation_url", "https://id.example/revoke");
    put("acme:captured", oauth(&[]), Owner::Us);
    put("acme:imported", oauth(&[]), Owner::Vendor);
    put("acme:key", Credential::api_key("k"), Owner::Us);
    put("acme:near", oauth(&[device, token_url("https://acme.example/token")]), Owner::Us);
    put("acme:far", oauth(&[device, token_url("https://id.example/token")]), Owner::Us);
    put("mute:captured", oauth(&[]), Owner::Us);
    put("mute:device", oauth(&[device, token_url("https://id.example/token"), revocation]), Owner::Us);
    put("mute:silent", oauth(&[device, token_url("https://id.example/token")]), Owner::Us);
    put("gone:device", oauth(&[device, token_url("https://id.example/token"), revocation]), Owner::Us);
    drop(store);
    let list = Client::new(home.paths.clone()).list().expect("listed");
    let revocable: Vec<_> = list
        .iter()
        .filter(|entry| entry.found.as_ref().expect("stored").revocable)
        .map(|entry| entry.address.to_string())
        .collect();
    assert_eq!(revocable, ["acme:captured", "acme:near", "gone:device", "mute:device"]);
}

#[test]
fn what_a_client_is_given_is_listed_in_place_of_what_is_stored() {
    let home = home();
    let client = in_memory(&home);
    let sources = |client: &Client| -> Vec<(String, Source)> {
        let list = client.list().expect("listed");
        list.into_iter()
            .map(|entry| (entry.address.to_string(), entry.found.expect("found").source))
            .collect()
    };
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    let given = client.clone().give("openai", Credential::api_key("sk-given")).expect("known");
    let given = given.give("anthropic", Credential::api_key("sk-given")).expect("known");
    let expected = [("anthropic".to_owned(), Source::Override), ("openai".to_owned(), Source::Override)];
    assert_eq!(sources(&given), expected);
    let all = given.list_all().expect("listed");
    let anthropic: Vec<_> =
        all.iter().filter(|entry| entry.address.provider.as_str() == "anthropic").collect();
    let [entry] = anthropic.as_slice() else { panic!("{anthropic:?}") };
    let found = entry.found.as_ref().expect("given");
    assert_eq!((found.source.clone(), found.state, found.refreshable), (Source::Override, State::Ok, false));
    assert_eq!(sources(&client), [("openai".to_owned(), Source::Stored)]);
    assert_eq!(
        block_on(given.logout_all()).expect("removed").len(),
        1,
        "what is stored is removed all the same"
    );
}

#[test]
fn a_client_of_a_profile_has_to_do_with_no_other() {
    let home = home();
    let client = in_memory(&home);
    let work = client.clone().profile(name("work"));
    let token = |client: &Client| {
        let found = block_on(client.credential("claude"))?;
        Ok::<_, Error>(found.usable().expect("one value").expose().to_owned())
    };
    block_on(async {
        let record = logs_in(&work, "claude", key("sk-ant-0123456789-at-work")).await.expect("stored");
        assert_eq!(record.address.to_string(), "claude:work");
        let own = client.clone().profile(name("own"));
        assert!(matches!(own.headers("claude").await, Err(Error::NoCredential { .. })));
        assert!(matches!(own.refresh("claude", false).await, Err(Error::NoCredential { .. })));
        assert_eq!(
            (own.is_authenticated("claude").expect("known"), own.list().expect("listed")),
            (false, vec![])
        );
        assert_eq!(own.stored("claude").expect("known"), None);
        assert!(work.is_authenticated("claude").expect("known"));
        assert_eq!(work.stored("claude").expect("known"), Some(record));
        logs_in(&own, "claude", key("sk-ant-0123456789-of-mine")).await.expect("stored");
    });
    assert_eq!(token(&work).expect("found"), "sk-ant-0123456789-at-work");
    assert!(matches!(token(&client), Err(Error::SeveralAccounts { .. })), "none is named");
    let request = Request { profile: Some(name("own")), ..Request::new(&name("demo"), "claude") };
    let found = block_on(work.find(&request)).expect("found");
    assert_eq!(found.address.to_string(), "claude:own", "what the request names goes first");
    let left = block_on(work.logout_all()).expect("removed");
    let left: Vec<_> = left.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(left, ["claude:work"]);
    block_on(client.clone().profile(name("own")).logout("claude", None)).expect("removed");
    assert_eq!(client.list().expect("listed"), []);
}

#[test]
fn a_client_finds_in_its_own_set_what_it_was_given_first() {
    let home = home();
    let client = in_memory(&home);
    let team = client.clone().set(name("team"));
    block_on(logs_in(&team, "openai", key(KEY))).expect("stored");
    let find = |client: &Client, request: Request| {
        block_on(client.find(&request)).map(|found| (found.address.to_string(), found.source.clone()))
    };
    let request = || Request::new(&name("demo"), "openai");
    assert!(find(&client, request()).is_err(), "not in the default set");
    assert_eq!(find(&team, request()).expect("found"), ("openai (set team)".to_owned(), Source::Stored));
    let other = Request { set: Some(name("other")), ..request() };
    assert!(find(&team, other).is_err(), "the request's goes first");
    let given = team.give("openai", Credential::api_key("sk-given")).expect("known");
    assert_eq!(find(&given, request()).expect("found").1, Source::Override);
}

#[test]
fn what_is_given_for_a_profile_is_used_for_no_other() {
    let home = home();
    let client = in_memory(&home);
    let [work, own] = ["work", "own"].map(|profile| client.clone().profile(name(profile)));
    for client in [&work, &own] {
        block_on(logs_in(client, "claude", key("sk-ant-0123456789-stored"))).expect("stored");
    }
    let given = work.give("claude", Credential::api_key("sk-given")).expect("known");
    let sources = |client: &Client| -> Vec<(String, Source)> {
        let list = client.list().expect("listed");
        list.into_iter()
            .map(|entry| (entry.address.to_string(), entry.found.expect("found").source))
            .collect()
    };
    let source = |client: &Client| block_on(client.credential("claude")).expect("found").source.clone();
    assert_eq!(source(&given), Source::Override);
    assert_eq!(sources(&given), [("claude:work".to_owned(), Source::Override)]);
    let own = given.profile(name("own"));
    assert_eq!(
        (source(&own), sources(&own)),
        (Source::Stored, vec![("claude:own".to_owned(), Source::Stored)])
    );
    let whichever = client.give("claude", Credential::api_key("sk-given")).expect("known");
    assert_eq!(sources(&whichever), [("claude".to_owned(), Source::Override)], "it stands in for both");
    assert_eq!(source(&whichever.profile(name("own"))), Source::Override);
}

#[test]
fn a_store_in_memory_can_be_filled_before_a_client_has_it() {
    let home = home();
    let expires_at = Some(Timestamp::now() - SignedDuration::from_secs(60));
    let mut store = Store::in_memory().expect("a store");
    let expired = Metadata { expires_at, ..Metadata::default() };
    store.put(&Address::of(name("openai")), &Credential::api_key(KEY), &Metadata::default()).expect("stored");
    store.put(&Address::of(name("gh")), &Credential::Token { token: KEY.into() }, &expired).expect("stored");
    let store = SharedStore::new(store);
    let client = Client::with_store(home.paths.clone(), store.clone());
    assert_eq!(block_on(client.credential("openai")).expect("found").credential, Credential::api_key(KEY));

    assert!(matches!(block_on(client.credential("gh")), Err(Error::Expired { .. })));
    let record = client.stored("gh").expect("known").expect("stored");
    assert_eq!(record.credential, Credential::Token { token: KEY.into() }, "whatever its state");
    assert_eq!(client.stored("mistral").expect("known"), None);
    assert!(matches!(client.stored("opnai"), Err(Error::UnknownProvider(_))));

    block_on(client.logout("openai", None)).expect("removed");
    assert_eq!(store.lock().count().expect("counted"), 1, "it is the same store");
    assert!(!home.paths.data().exists());
}

#[test]
fn the_status_of_one_provider_is_that_of_each_of_its_accounts() {
    let home = home();
    let client = in_memory(&home);
    let status = |client: &Client, provider: &str| -> Vec<(String, Option<State>)> {
        let status = client.status(provider).expect(provider).into_iter();
        status.map(|entry| (entry.address.to_string(), entry.found.map(|found| found.state))).collect()
    };
    assert_eq!(status(&client, "claude-code"), [("claude".to_owned(), None)]);
    assert!(matches!(client.status("opnai"), Err(Error::UnknownProvider(_))));
    for profile in ["own", "work"] {
        let client = client.clone().profile(name(profile));
        block_on(logs_in(&client, "claude", key("sk-ant-0123456789-abcdefghij"))).expect("stored");
    }
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    let [own, work] = ["claude:own", "claude:work"].map(|at| (at.to_owned(), Some(State::Ok)));
    assert_eq!(status(&client, "claude"), [own, work.clone()]);
    assert_eq!(status(&client.clone().profile(name("work")), "claude"), [work]);
    let given = client.give("gh", Credential::Token { token: KEY.into() }).expect("known");
    assert_eq!(given.status("gh").expect("known")[0].found.as_ref().expect("given").source, Source::Override);
    assert_eq!(status(&given, "openai"), [("openai".to_owned(), Some(State::Ok))], "only what is asked for");
}

#[test]
fn any_provider_is_enough_to_be_authenticated() {
    let home = home();
    let client = in_memory(&home).set(name("team"));
    let any = |client: &Client| client.is_any_authenticated().expect("known");
    assert!(!any(&client));
    let past = Some(Timestamp::now() - SignedDuration::from_secs(60));
    let how = How { token: Some(KEY.into()), expires_at: past, ..How::default() };
    block_on(logs_in(&client, "claude", how)).expect("stored");
    assert!(!any(&client), "it has expired");
    assert!(any(&client.clone().give("openai", Credential::api_key("sk-given")).expect("known")));
    block_on(logs_in(&client.clone().profile(name("work")), "openai", key(KEY))).expect("stored");
    assert!(any(&client));
    assert!(!any(&client.clone().set(name("other"))));
    assert!(!any(&client.profile(name("own"))));
}

#[test]
fn a_login_is_made_only_where_there_is_none() {
    let home = home();
    let client = in_memory(&home);
    let (_interrupter, mut interrupt) = interrupt::pair();
    let mut ensure = |client: &Client, how: How, ui: &dyn Ui| {
        let found = block_on(client.ensure("openai", how, ui, &mut interrupt))?;
        Ok::<_, Error>((found.address.to_string(), found.usable().expect("one").expose().to_owned()))
    };
    let asked = Script { secret: Some(KEY), ..Script::default() };
    assert_eq!(
        ensure(&client, How::default(), &asked).expect("logged in"),
        ("openai".to_owned(), KEY.to_owned())
    );
    assert_eq!(asked.said(), ["API key for OpenAI"]);
    let other = key("sk-0123456789-another-one");
    assert_eq!(ensure(&client, other.clone(), &Nobody).expect("there").1, KEY);
    let of_work = How { profile: Some(name("work")), ..other };
    let work = ("openai:work".to_owned(), "sk-0123456789-another-one".to_owned());
    assert_eq!(ensure(&client, of_work, &Nobody).expect("another account"), work);
    let given = client.clone().give("openai", Credential::api_key("sk-given")).expect("known");
    assert_eq!(ensure(&given, How::default(), &Nobody).expect("given").1, "sk-given");
    let error = ensure(&client.set(name("other")), How::default(), &Nobody).expect_err("nobody to ask");
    assert!(matches!(error, Error::Login(LoginError::Ui(UiError::NobodyToAsk(_)))), "{error:?}");
}

#[test]
fn a_client_says_which_files_it_cannot_read() {
    let home = home();
    let client = Client::new(home.paths.clone()).project(name("shop"));
    assert_eq!(client.problems(), []);
    home.writes("config/providers/bad.yaml", "labl: x\n");
    home.writes("config/projects/shop.yaml", "engin: docker\n");
    let problems: Vec<_> = client.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("bad.yaml:1:1") && problems[1].contains("shop.yaml:1:1"), "{problems:?}");
}
