//! Logins that are due for a refresh, as a program sees them.

use std::process::Stdio;

use authenticate::{
    Client, ConfigError, Error, ResolveError, cancel_pair,
    credential::{Address, Credential, Metadata, Record},
    handout::headers::HeadersError,
    login::LoginOptions,
    oauth::OAuthError,
    refresh::{RefreshError, Refreshed},
    store::SharedStore,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_support::{
    Server, eventually,
    refresh::{EXPIRED, Home, access_token},
    runtime,
};

const ENDED: &str = r#"{"error": "invalid_grant", "error_description": "the login has ended"}"#;
const NEW: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;

fn tokens() -> Value {
    json!({"access_token": "OLD", "refresh_token": "RRR"})
}

fn client(home: &Home) -> Client {
    Client::new(home.paths.clone())
}

fn address(provider: &str) -> Address {
    Address::default_profile(provider.parse().expect("a name"))
}

fn stored(home: &Home, provider: &str) -> Record {
    home.store().get(&address(provider)).expect("read").expect("stored")
}

fn is_away(error: &Error) -> bool {
    let Error::Refresh(RefreshError::Server { source, .. }) = error else { return false };
    matches!(source, OAuthError::Unavailable { .. })
}

#[test]
fn login_that_the_vendor_ended_is_not_authenticated() {
    let server = Server::answering(Some((400, ENDED)));
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let client = client(&home);
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("known"), "nobody has tried yet");
    let error = runtime().block_on(client.credential("acme")).expect_err("it has ended");
    assert!(matches!(error, Error::Refresh(RefreshError::Refused { .. })), "{error:?}");
    assert!(!runtime().block_on(client.is_authenticated("acme")).expect("known"));
    home.logged_in(&tokens(), EXPIRED);
    assert!(
        runtime().block_on(client.is_authenticated("acme")).expect("known"),
        "a new login is a new chance"
    );
}

#[test]
fn login_with_an_unknown_outcome_is_not_authenticated() {
    let server = Server::answering(None);
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let client = client(&home);
    let error = runtime().block_on(client.credential("acme")).expect_err("no answer");
    assert!(matches!(error, Error::Refresh(RefreshError::OutcomeUnknown { .. })), "{error:?}");
    assert!(!runtime().block_on(client.is_authenticated("acme")).expect("known"));
}

#[test]
fn unexpired_login_that_cannot_be_refreshed_is_authenticated() {
    let server = Server::answering(Some((400, ENDED)));
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), SignedDuration::from_mins(4));
    let client = client(&home);
    runtime().block_on(client.credential("acme")).expect("it lasts");
    assert_eq!(server.bodies().len(), 1, "it was tried");
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("known"));
    home.expire();
    assert!(!runtime().block_on(client.is_authenticated("acme")).expect("known"));
}

#[test]
fn unreachable_vendor_keeps_the_login_authenticated() {
    let server = Server::answering(Some((503, "{}")));
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let client = client(&home);
    assert!(runtime().block_on(client.credential("acme")).is_err());
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("known"));
}

#[test]
fn expired_login_without_a_method_is_not_authenticated() {
    let home = Home::described(json!({"refresh": {"strategy": "none"}}));
    home.logged_in(&tokens(), EXPIRED);
    assert!(!runtime().block_on(client(&home).is_authenticated("acme")).expect("known"));
    std::fs::remove_file(home.paths.providers().join("acme.yaml")).expect("removed");
    assert!(
        !runtime().block_on(client(&home).is_authenticated("acme")).expect("known"),
        "nobody knows the provider"
    );
}

#[test]
fn headers_that_are_refused_cause_no_refresh() {
    let server = Server::answering(Some((200, NEW)));
    let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "c"});
    let home_with = |api: Value| {
        let home = Home::described(json!({"refresh": refresh, "api": api}));
        home.logged_in(&tokens(), EXPIRED);
        home
    };
    let headers = |home: &Home| runtime().block_on(client(home).headers("acme"));

    let home = home_with(json!({"base_url": "env:ACME_TEST_URL_UNSET", "shape": "own"}));
    let error = headers(&home).expect_err("no URL");
    assert!(error.to_string().contains("ACME_TEST_URL_UNSET is not set"), "{error}");

    let api = json!({"base_url": "https://acme.example", "shape": "own",
        "headers": {"x-team": "env:ACME_TEST_TEAM_UNSET"}});
    let error = headers(&home_with(api)).expect_err("no header");
    assert!(error.to_string().contains("ACME_TEST_TEAM_UNSET is not set"), "{error}");

    let home = home_with(json!({"base_url": "https://acme.example", "shape": "own"}));
    let elsewhere = "https://example.com/v1".parse().expect("a URL");
    let error = runtime().block_on(client(&home).headers_for("acme", &elsewhere)).expect_err("another host");
    assert!(matches!(error, Error::Headers(HeadersError::OtherHost { .. })), "{error:?}");

    assert_eq!(server.bodies().len(), 0, "the vendor was asked in vain");
    let sent = headers(&home).expect("headers");
    assert_eq!(sent[0].value.expose(), "Bearer NEW");
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn login_of_a_programs_provider_is_refreshed_by_its_descriptor() {
    let server = Server::answering(Some((200, NEW)));
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let file = home.paths.providers().join("acme.yaml");
    let described = std::fs::read_to_string(&file).expect("read");
    std::fs::remove_file(&file).expect("removed");
    assert!(
        !runtime().block_on(client(&home).is_authenticated("acme")).expect("known"),
        "nobody else knows how"
    );
    let described = serde_json::from_str(&described).expect("a descriptor");
    let client = client(&home).provider(described).expect("right");
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("known"));
    let found = runtime().block_on(client.credential("acme")).expect("refreshed");
    assert_eq!(found.usable().expect("one").expose(), "NEW");
    assert!(matches!(runtime().block_on(client.refresh("acme", true)), Ok(Refreshed::Now(_))));
    assert_eq!(runtime().block_on(client.refresh_all(true)).expect("tried").len(), 1);
    assert_eq!(server.bodies().len(), 3);
}

/// A store that a program opened itself is on the same disk as everybody's.
#[test]
fn client_and_another_process_refresh_once() {
    let (server, tell) = Server::held(200, NEW);
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let child = home.command(&["token", "p", "acme"]).stdout(Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    let client = Client::with_store(home.paths.clone(), SharedStore::new(home.store()));
    let found = runtime().block_on(async {
        let asking = client.credential("acme");
        tokio::pin!(asking);
        tokio::select! {
            biased;
            done = &mut asking => panic!("too soon: {done:?}"),
            () = async { tell.send(()).expect("told") } => {}
        }
        asking.await
    });
    assert_eq!(found.expect("refreshed").usable().expect("one").expose(), "NEW");
    assert_eq!(child.wait_with_output().expect("ended").stdout, b"NEW\n");
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn refresh_of_an_unexpired_login_reports_its_failure() {
    let server = Server::answering(Some((503, "{}")));
    let home = Home::new(&server.url);
    let before = home.logged_in(&tokens(), SignedDuration::from_mins(4));
    let client = client(&home);
    let error = runtime().block_on(client.refresh("acme", false)).expect_err("the vendor is away");
    assert!(is_away(&error), "{error:?}");
    let results = runtime().block_on(client.refresh_all(false)).expect("tried");
    let [(at, Err(error))] = results.as_slice() else { panic!("{results:?}") };
    assert!(*at == address("acme") && is_away(error), "{error:?}");
    assert_eq!(home.record(), before);
}

#[test]
fn refresh_with_force_refreshes_undue_and_retries_rejected() {
    let server = Server::answering(Some((200, NEW)));
    let home = Home::new(&server.url);
    let before = home.logged_in(&tokens(), SignedDuration::from_hours(1));
    let refresh = |force| runtime().block_on(client(&home).refresh("acme", force));
    assert_eq!(refresh(false).expect("not due"), Refreshed::Earlier(before));
    assert_eq!(server.bodies().len(), 0);
    let Ok(Refreshed::Now(after)) = refresh(true) else { panic!("not refreshed") };
    assert_eq!((access_token(&after), &home.record()), ("NEW".to_owned(), &after));

    let server = Server::answering(Some((400, ENDED)));
    home.renews_at(&server.url);
    home.expire();
    for (force, asked) in [(false, 1), (false, 1), (true, 2)] {
        let error = refresh(force).expect_err("refused");
        let Error::Refresh(error @ RefreshError::Refused { .. }) = error else { panic!("{error:?}") };
        assert!(error.needs_login());
        assert_eq!(server.bodies().len(), asked);
    }
}

#[test]
fn refresh_of_missing_or_unrefreshable_has_its_own_error() {
    let home = Home::new("http://127.0.0.1:1/token");
    let refresh = |provider| runtime().block_on(client(&home).refresh(provider, true)).expect_err(provider);
    assert!(matches!(refresh("acme"), Error::Resolve(ResolveError::NotFound { .. })));
    assert!(matches!(refresh("nonesuch"), Error::Config(ConfigError::UnknownProvider(_))));
    assert!(!home.paths.data().exists(), "looking makes nothing");
    home.store().put(&address("openai"), &Credential::api_key("k"), &Metadata::default()).expect("stored");
    assert!(matches!(refresh("openai"), Error::Refresh(RefreshError::NotRefreshable { .. })));
    assert!(runtime().block_on(client(&home).refresh_all(true)).expect("nothing to be refreshed").is_empty());
}

#[test]
fn refresh_all_has_a_result_for_each_login() {
    let well = Server::answering(Some((200, NEW)));
    let refuses = Server::answering(Some((400, ENDED)));
    let away = Server::answering(Some((503, "{}")));
    let home = Home::new(&well.url);
    home.describes("bravo", &refuses.url);
    home.describes("charlie", &away.url);
    let elsewhere = Address { set: "other".parse().expect("a name"), ..address("acme") };
    for at in [elsewhere.clone(), address("acme"), address("bravo"), address("charlie")] {
        home.logged_in_at(&at, &tokens(), EXPIRED, Metadata::default());
    }
    let kept = || ["bravo", "charlie"].map(|provider| stored(&home, provider));
    let before = kept();
    home.store().put(&address("openai"), &Credential::api_key("k"), &Metadata::default()).expect("stored");
    let asked = || [&well, &refuses, &away].map(|server| server.bodies().len());
    let all = |force| {
        let client = client(&home);
        let task = async move { client.refresh_all(force).await };
        let results = runtime().block_on(async { tokio::spawn(task).await.expect("ended") }).expect("tried");
        let (at, results): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        assert_eq!(at, ["acme", "bravo", "charlie"].map(address));
        <[_; 3]>::try_from(results).expect("three")
    };

    let [first, second, third] = all(false);
    let Ok(Refreshed::Now(refreshed)) = first else { panic!("{first:?}") };
    assert_eq!((access_token(&refreshed), &stored(&home, "acme")), ("NEW".to_owned(), &refreshed));
    assert!(matches!(second, Err(Error::Refresh(RefreshError::Refused { .. }))), "{second:?}");
    assert!(third.as_ref().is_err_and(is_away), "{third:?}");
    assert_eq!(kept(), before);
    assert_eq!(asked(), [1, 1, 1]);

    let [first, second, third] = all(false);
    assert_eq!(first.expect("not due"), Refreshed::Earlier(refreshed.clone()));
    assert!(matches!(second, Err(Error::Refresh(RefreshError::Refused { .. }))), "{second:?}");
    assert!(third.as_ref().is_err_and(is_away), "{third:?}");
    assert_eq!(asked(), [1, 1, 2], "what was refused is not sent again");

    let [first, second, third] = all(true);
    assert!(matches!(first, Ok(Refreshed::Now(now)) if now.version > refreshed.version), "not refreshed");
    assert!(matches!(second, Err(Error::Refresh(RefreshError::Refused { .. }))), "{second:?}");
    assert!(third.as_ref().is_err_and(is_away), "{third:?}");
    assert_eq!(asked(), [2, 2, 3], "with force it is");

    let other = client(&home).set("other".parse().expect("a name"));
    let results = runtime().block_on(other.refresh_all(false)).expect("tried");
    assert!(matches!(results.as_slice(), [(at, Ok(Refreshed::Now(_)))] if *at == elsewhere), "{results:?}");
}

#[test]
fn credential_has_the_reason_of_its_failed_refresh() {
    let server = Server::answering(Some((503, "{}")));
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), SignedDuration::from_mins(4));
    let found = runtime().block_on(client(&home).credential("acme")).expect("it lasts");
    assert_eq!(found.usable().expect("one").expose(), "OLD");
    let why = found.not_refreshed.as_ref().expect("a reason");
    assert!(matches!(why, RefreshError::Server { source: OAuthError::Unavailable { .. }, .. }), "{why:?}");

    let server = Server::answering(Some((200, NEW)));
    home.renews_at(&server.url);
    let found = runtime().block_on(client(&home).credential("acme")).expect("refreshed");
    assert_eq!((found.usable().expect("one").expose(), found.not_refreshed.is_some()), ("NEW", false));
}

#[test]
fn ensure_logs_in_after_an_ended_login_but_not_if_the_vendor_is_unreachable() {
    let home = Home::new(&Server::answering(Some((503, "{}"))).url);
    home.logged_in(&tokens(), EXPIRED);
    let ensure = || {
        let how =
            LoginOptions { api_key: Some("sk-0123456789-abcdefghij".into()), ..LoginOptions::default() };
        let (_handle, mut cancel) = cancel_pair();
        runtime().block_on(client(&home).ensure("acme", how, &mut cancel))
    };
    let error = ensure().expect_err("away");
    assert!(is_away(&error), "{error:?}");
    assert_eq!(access_token(&home.record()), "OLD");

    home.renews_at(&Server::answering(Some((200, NEW))).url);
    assert_eq!(ensure().expect("refreshed").usable().expect("one").expose(), "NEW");

    home.expire();
    home.renews_at(&Server::answering(Some((400, ENDED))).url);
    assert_eq!(ensure().expect("logged in").credential, Credential::api_key("sk-0123456789-abcdefghij"));
}
