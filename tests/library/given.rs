//! Credentials that a client is given, beside the stored ones.

use authenticate::{
    Client, ConfigError, Error, ResolveError,
    credential::{Address, Credential, Metadata},
    resolve::{Request, Source},
    status::state::CredentialState,
    store::{SharedStore, Store},
};
use jiff::{SignedDuration, Timestamp};
use test_support::{Home, KEY, name};

use crate::script::{block_on, in_memory, key, logs_in};

#[test]
fn given_credential_wins_and_is_not_stored() {
    let home = Home::new();
    let client = in_memory(&home);
    block_on(async {
        logs_in(&client, "claude", key("sk-ant-0123456789-stored")).await.expect("stored");
        let given =
            client.clone().with_credential("claude-code", Credential::api_key("sk-given")).expect("known");
        let found = given.credential("claude").await.expect("found");
        assert_eq!((&found.source, &found.credential), (&Source::Override, &Credential::api_key("sk-given")));
        assert_eq!(client.credential("claude").await.expect("found").source, Source::Stored);
        assert!(matches!(
            client.clone().with_credential("opnai", Credential::api_key("x")),
            Err(Error::Config(ConfigError::UnknownProvider(_)))
        ));
    });
}

#[test]
fn given_credential_is_listed_in_place_of_the_stored_one() {
    let home = Home::new();
    let client = in_memory(&home);
    let sources = |client: &Client| -> Vec<(String, Source)> {
        let list = block_on(client.list()).expect("listed");
        list.into_iter()
            .map(|entry| (entry.address.to_string(), entry.details.expect("found").source))
            .collect()
    };
    block_on(logs_in(&client, "openai", key(KEY))).expect("stored");
    let given = client.clone().with_credential("openai", Credential::api_key("sk-given")).expect("known");
    let given = given.with_credential("anthropic", Credential::api_key("sk-given")).expect("known");
    let expected = [("anthropic".to_owned(), Source::Override), ("openai".to_owned(), Source::Override)];
    assert_eq!(sources(&given), expected);
    let all = block_on(given.list_all()).expect("listed");
    let anthropic: Vec<_> =
        all.iter().filter(|entry| entry.address.provider.as_str() == "anthropic").collect();
    let [entry] = anthropic.as_slice() else { panic!("{anthropic:?}") };
    let found = entry.details.as_ref().expect("given");
    assert_eq!(
        (found.source.clone(), found.state, found.refreshable),
        (Source::Override, CredentialState::Ok, false)
    );
    assert_eq!(sources(&client), [("openai".to_owned(), Source::Stored)]);
    assert_eq!(
        block_on(given.logout_all()).expect("removed").len(),
        1,
        "what is stored is removed all the same"
    );
}

#[test]
fn find_prefers_given_credential_then_request_set_then_client_set() {
    let home = Home::new();
    let client = in_memory(&home);
    let team = client.clone().set(name("team"));
    block_on(logs_in(&team, "openai", key(KEY))).expect("stored");
    let find = |client: &Client, request: Request| {
        block_on(client.find(&request)).map(|found| (found.address.to_string(), found.source.clone()))
    };
    let request = || Request::new("openai");
    assert!(find(&client, request()).is_err(), "not in the default set");
    assert_eq!(find(&team, request()).expect("found"), ("openai (set team)".to_owned(), Source::Stored));
    let other = Request { set: Some(name("other")), ..request() };
    assert!(find(&team, other).is_err(), "the request's goes first");
    let given = team.with_credential("openai", Credential::api_key("sk-given")).expect("known");
    assert_eq!(find(&given, request()).expect("found").1, Source::Override);
}

#[test]
fn given_credential_for_a_profile_is_used_for_no_other() {
    let home = Home::new();
    let client = in_memory(&home);
    let [work, own] = ["work", "own"].map(|profile| client.clone().profile(name(profile)));
    for client in [&work, &own] {
        block_on(logs_in(client, "claude", key("sk-ant-0123456789-stored"))).expect("stored");
    }
    let given = work.with_credential("claude", Credential::api_key("sk-given")).expect("known");
    let sources = |client: &Client| -> Vec<(String, Source)> {
        let list = block_on(client.list()).expect("listed");
        list.into_iter()
            .map(|entry| (entry.address.to_string(), entry.details.expect("found").source))
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
    let whichever = client.with_credential("claude", Credential::api_key("sk-given")).expect("known");
    assert_eq!(sources(&whichever), [("claude".to_owned(), Source::Override)], "it stands in for both");
    assert_eq!(source(&whichever.profile(name("own"))), Source::Override);
}

#[test]
fn store_in_memory_can_be_filled_before_the_client_uses_it() {
    let home = Home::new();
    let expires_at = Some(Timestamp::now() - SignedDuration::from_secs(60));
    let mut store = Store::in_memory().expect("a store");
    let expired = Metadata { expires_at, ..Metadata::default() };
    store
        .put(&Address::default_profile(name("openai")), &Credential::api_key(KEY), &Metadata::default())
        .expect("stored");
    store
        .put(&Address::default_profile(name("gh")), &Credential::Token { token: KEY.into() }, &expired)
        .expect("stored");
    let store = SharedStore::new(store);
    let client = Client::with_store(home.paths.clone(), store.clone());
    assert_eq!(block_on(client.credential("openai")).expect("found").credential, Credential::api_key(KEY));

    assert!(matches!(block_on(client.credential("gh")), Err(Error::Resolve(ResolveError::Expired { .. }))));
    let record = block_on(client.stored("gh")).expect("known").expect("stored");
    assert_eq!(record.credential, Credential::Token { token: KEY.into() }, "whatever its state");
    assert_eq!(block_on(client.stored("mistral")).expect("known"), None);
    assert!(matches!(block_on(client.stored("opnai")), Err(Error::Config(ConfigError::UnknownProvider(_)))));

    block_on(client.logout("openai", None)).expect("removed");
    assert_eq!(store.lock().count().expect("counted"), 1, "it is the same store");
    assert!(!home.paths.data().exists());
}
