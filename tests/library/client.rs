//! A program that holds a client.

use std::sync::Arc;

use authenticate::{
    Client, ConfigError, Error, ErrorKind, ResolveError, cancel_pair,
    credential::{Address, Credential, Metadata, OAuth, Owner, Secret},
    handout::headers::HeadersError,
    login::{FieldInput, LoginError, LoginOptions},
    provider::Mode,
    resolve::{Request, Source},
    status::state::CredentialState,
    store::Store,
    ui::{Nobody, Ui, UiError},
};
use jiff::{SignedDuration, Timestamp};
use test_support::{Home, KEY, name};

use crate::script::{Script, block_on, in_memory, key, logs_in, resolves};

#[test]
fn client_in_memory_writes_nothing() {
    let home = Home::new();
    let client = in_memory(&home);
    block_on(async {
        assert!(!client.is_authenticated("openai").await.expect("known"));
        logs_in(&client, "openai", key(KEY)).await.expect("stored");
        assert!(client.is_authenticated("openai").await.expect("known"));
        let found = client.clone().credential("openai").await.expect("found");
        assert_eq!((&found.source, &found.credential), (&Source::Stored, &Credential::api_key(KEY)));
        client.logout("openai", None).await.expect("removed");
        let error = client.logout("openai", None).await.expect_err("nothing left");
        assert_eq!(error.kind(), ErrorKind::NoCredential);
        let error = client.credential("openai").await.expect_err("removed");
        assert_eq!(error.kind(), ErrorKind::NoCredential);
    });
    assert!(!home.paths.data().exists());
}

#[test]
fn client_uses_the_store_of_the_command_line() {
    let home = Home::new();
    let client = Client::new(home.paths.clone());
    assert_eq!(block_on(client.list()).expect("listed"), []);
    assert!(block_on(client.logout("openai", None)).is_err(), "nothing to remove");
    assert!(block_on(client.logout_all()).expect("nothing to remove").is_empty());
    assert!(!home.paths.data().exists(), "looking makes nothing");
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    assert_eq!(resolves(&home, "openai").expect("resolved"), KEY);
}

#[test]
fn client_logs_in_and_out_of_several_providers() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    let client = in_memory(&home).project(name("shop"));
    let how = |provider: &str| match provider {
        "openai" => key(KEY),
        "groq" => key("gsk_0123456789abcdefghijkl"),
        _ => LoginOptions::default(),
    };
    let providers = ["openai", "mistral", "groq", "opnai"];
    let results = block_on(client.login_all(&providers, how, &mut cancel_pair().1));
    let well: Vec<_> = results.iter().map(|(provider, result)| (provider.as_str(), result.is_ok())).collect();
    assert_eq!(well, [("openai", true), ("mistral", false), ("groq", true), ("opnai", false)]);
    let other = client.clone().project(name("demo"));
    block_on(logs_in(&other, "openai", key(KEY))).expect("stored");
    let removed = block_on(client.logout_all()).expect("removed");
    assert!(removed.iter().all(|(_, left)| left.is_ok()));
    let removed: Vec<_> = removed.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(removed, ["groq (set team)", "openai (set team)"]);
    assert!(block_on(other.is_authenticated("openai")).expect("known"), "another project's are left");
}

#[test]
fn list_all_has_every_provider_with_its_modes() {
    let home = Home::new();
    let client = in_memory(&home);
    block_on(logs_in(&client, "claude", key("sk-ant-0123456789-abcdefghij"))).expect("stored");
    let list = block_on(client.list()).expect("listed");
    let [entry] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!(
        (entry.label.as_str(), &entry.modes),
        ("Claude Code", &vec![Mode::Oauth, Mode::ApiKey, Mode::Token])
    );
    let found = entry.details.as_ref().expect("configured");
    assert_eq!((found.state, found.refreshable, found.revocable), (CredentialState::Ok, false, false));
    let record = block_on(client.stored("claude")).expect("read").expect("stored");
    let times = (found.created_at, found.updated_at, &found.client_id);
    assert_eq!(times, (Some(record.created_at), Some(record.updated_at), &None));
    let all = block_on(client.list_all()).expect("listed");
    let codex = all.iter().find(|entry| entry.address.provider.as_str() == "codex").expect("known");
    assert_eq!(codex.details, None);
    assert_eq!(block_on(client.refresh_all(false)).expect("none").len(), 0);
}

#[test]
fn headers_are_only_for_the_providers_own_api() {
    let home = Home::new();
    let local = "modes: [basic]\napi: {base_url: env:ACME_TEST_URL_UNSET, shape: own}\n";
    home.write("config/providers/acme.yaml", local);
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
        let mut fields = FieldInput::default();
        fields.add("username", "ann".into(), true).expect("once");
        fields.add("password", "p".into(), false).expect("once");
        logs_in(&client, "acme", LoginOptions { fields, ..LoginOptions::default() }).await.expect("stored");
        let error = client.headers("acme").await.expect_err("no URL");
        assert_eq!(
            error.to_string(),
            "api.base_url of provider acme: the environment variable ACME_TEST_URL_UNSET is not set"
        );
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

/// Without the override the request might go to another host than the one that is meant.
#[test]
fn wrong_descriptor_gives_no_headers() {
    let home = Home::new();
    let client = in_memory(&home);
    block_on(async {
        logs_in(&client, "openai", key(KEY)).await.expect("stored");
        home.write("config/providers/openai.yaml", "api: {base_url: http://example.com}\n");
        let client = Client::new(home.paths.clone());
        assert!(matches!(client.headers("openai").await, Err(Error::Config(ConfigError::Descriptor(_)))));
    });
}

/// As `logout` does: it asks the vendor for OAuth logins of ours, if the vendor has a place for that.
#[test]
fn revocable_is_what_logout_would_revoke() {
    let home = Home::new();
    home.write(
        "config/providers/acme.yaml",
        "modes: [api_key]\nrevoke: {url: 'https://acme.example/revoke'}\n",
    );
    home.write("config/providers/mute.yaml", "modes: [api_key]\n");
    let mut store = Store::open(home.paths.data()).expect("a store");
    let mut put = |at: &str, credential: Credential, owner: Owner| {
        let (provider, profile) = at.split_once(':').expect("a profile");
        let address = Address { profile: name(profile), ..Address::default_profile(name(provider)) };
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
    let list = block_on(Client::new(home.paths.clone()).list()).expect("listed");
    let revocable: Vec<_> = list
        .iter()
        .filter(|entry| entry.details.as_ref().expect("stored").revocable)
        .map(|entry| entry.address.to_string())
        .collect();
    assert_eq!(revocable, ["acme:captured", "acme:near", "gone:device", "mute:device"]);
}

#[test]
fn client_of_a_profile_touches_no_other() {
    let home = Home::new();
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
        assert!(matches!(own.headers("claude").await, Err(Error::Resolve(ResolveError::NotFound { .. }))));
        assert!(matches!(
            own.refresh("claude", false).await,
            Err(Error::Resolve(ResolveError::NotFound { .. }))
        ));
        assert_eq!(
            (own.is_authenticated("claude").await.expect("known"), own.list().await.expect("listed")),
            (false, vec![])
        );
        assert_eq!(own.stored("claude").await.expect("known"), None);
        assert!(work.is_authenticated("claude").await.expect("known"));
        assert_eq!(work.stored("claude").await.expect("known"), Some(record));
        logs_in(&own, "claude", key("sk-ant-0123456789-of-mine")).await.expect("stored");
    });
    assert_eq!(token(&work).expect("found"), "sk-ant-0123456789-at-work");
    assert!(
        matches!(token(&client), Err(Error::Resolve(ResolveError::SeveralAccounts { .. }))),
        "none is named"
    );
    let request = Request { profile: Some(name("own")), ..Request::new("claude") };
    let found = block_on(work.find(&request)).expect("found");
    assert_eq!(found.address.to_string(), "claude:own", "what the request names goes first");
    let left = block_on(work.logout_all()).expect("removed");
    let left: Vec<_> = left.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(left, ["claude:work"]);
    block_on(client.clone().profile(name("own")).logout("claude", None)).expect("removed");
    assert_eq!(block_on(client.list()).expect("listed"), []);
}

#[test]
fn status_of_a_provider_lists_each_account() {
    let home = Home::new();
    let client = in_memory(&home);
    let status = |client: &Client, provider: &str| -> Vec<(String, Option<CredentialState>)> {
        let status = block_on(client.status(provider)).expect(provider).into_iter();
        status.map(|entry| (entry.address.to_string(), entry.details.map(|found| found.state))).collect()
    };
    assert_eq!(status(&client, "claude-code"), [("claude".to_owned(), None)]);
    assert!(matches!(block_on(client.status("opnai")), Err(Error::Config(ConfigError::UnknownProvider(_)))));
    for profile in ["own", "work"] {
        let client = client.clone().profile(name(profile));
        block_on(logs_in(&client, "claude", key("sk-ant-0123456789-abcdefghij"))).expect("stored");
    }
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    let [own, work] = ["claude:own", "claude:work"].map(|at| (at.to_owned(), Some(CredentialState::Ok)));
    assert_eq!(status(&client, "claude"), [own, work.clone()]);
    assert_eq!(status(&client.clone().profile(name("work")), "claude"), [work]);
    let given = client.with_credential("gh", Credential::Token { token: KEY.into() }).expect("known");
    assert_eq!(
        block_on(given.status("gh")).expect("known")[0].details.as_ref().expect("given").source,
        Source::Override
    );
    assert_eq!(
        status(&given, "openai"),
        [("openai".to_owned(), Some(CredentialState::Ok))],
        "only what is asked for"
    );
}

#[test]
fn one_usable_provider_is_enough_to_be_authenticated() {
    let home = Home::new();
    let client = in_memory(&home).set(name("team"));
    let any = |client: &Client| block_on(client.is_any_authenticated()).expect("known");
    assert!(!any(&client));
    let past = Some(Timestamp::now() - SignedDuration::from_secs(60));
    let how = LoginOptions { token: Some(KEY.into()), expires_at: past, ..LoginOptions::default() };
    block_on(logs_in(&client, "anthropic", how)).expect("stored");
    assert!(!any(&client), "it has expired");
    assert!(any(&client.clone().with_credential("openai", Credential::api_key("sk-given")).expect("known")));
    block_on(logs_in(&client.clone().profile(name("work")), "openai", key(KEY))).expect("stored");
    assert!(any(&client));
    assert!(!any(&client.clone().set(name("other"))));
    assert!(!any(&client.profile(name("own"))));
}

#[test]
fn ensure_logs_in_only_without_a_credential() {
    let home = Home::new();
    let client = in_memory(&home);
    let (_handle, mut cancel) = cancel_pair();
    let mut ensure = |client: &Client, options: LoginOptions, ui: Arc<dyn Ui>| {
        let found = block_on(client.clone().ui(ui).ensure("openai", options, &mut cancel))?;
        Ok::<_, Error>((found.address.to_string(), found.usable().expect("one").expose().to_owned()))
    };
    let asked = Arc::new(Script { secret: Some(KEY), ..Script::default() });
    let nobody = || Arc::new(Nobody);
    assert_eq!(
        ensure(&client, LoginOptions::default(), asked.clone()).expect("logged in"),
        ("openai".to_owned(), KEY.to_owned())
    );
    assert_eq!(asked.said(), ["API key for OpenAI"]);
    let other = key("sk-0123456789-another-one");
    assert_eq!(ensure(&client, other.clone(), nobody()).expect("there").1, KEY);
    let of_work = LoginOptions { profile: Some(name("work")), ..other };
    let work = ("openai:work".to_owned(), "sk-0123456789-another-one".to_owned());
    assert_eq!(ensure(&client, of_work, nobody()).expect("another account"), work);
    let given = client.clone().with_credential("openai", Credential::api_key("sk-given")).expect("known");
    assert_eq!(ensure(&given, LoginOptions::default(), nobody()).expect("given").1, "sk-given");
    let error =
        ensure(&client.set(name("other")), LoginOptions::default(), nobody()).expect_err("nobody to ask");
    assert!(matches!(error, Error::Login(LoginError::Ui(UiError::NoOneToAsk(_)))), "{error:?}");
}

#[test]
fn problems_list_the_files_that_cannot_be_used() {
    let home = Home::new();
    let client = Client::new(home.paths.clone()).project(name("shop"));
    assert_eq!(client.problems(), []);
    // A client reads the configuration once.
    let client = Client::new(home.paths.clone()).project(name("shop"));
    home.write("config/providers/bad.yaml", "labl: x\n");
    home.write("config/projects/shop.yaml", "engin: docker\n");
    let problems: Vec<_> = client.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("bad.yaml:1:1") && problems[1].contains("shop.yaml:1:1"), "{problems:?}");
}

#[test]
fn rows_without_an_address_are_listed_as_unreadable() {
    let home = Home::new();
    let client = Client::new(home.paths.clone());
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    assert_eq!(block_on(client.unreadable()).expect("looked").len(), 0);
    let database = rusqlite::Connection::open(home.paths.data().join("credentials.db")).expect("opened");
    database.execute("UPDATE credential SET profile = ''", []).expect("damaged");
    let found = block_on(client.unreadable()).expect("looked");
    assert_eq!(found.len(), 1);
    assert!(found[0].row.contains("openai"), "{}", found[0].row);
    assert_eq!(block_on(client.list()).expect("listed"), []);
    let mut store = Store::open(&home.paths).expect("opened");
    store.remove_unreadable(&found[0]).expect("removed");
    assert_eq!(block_on(client.unreadable()).expect("looked").len(), 0);
}
