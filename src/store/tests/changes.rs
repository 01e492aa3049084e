//! Storing, replacing, swapping, removing and listing.

use super::*;

fn one_of_each() -> [Credential; 5] {
    [
        key("k"),
        Credential::OAuth(OAuth {
            access_token: "a".repeat(3000).as_str().into(),
            refresh_token: Some("r".into()),
            id_token: None,
            extra: BTreeMap::from([("account_id".to_owned(), "x".into())]),
        }),
        Credential::Token { token: "t".into() },
        Credential::Basic { username: "me".into(), password: "p \u{0} ü".into() },
        Credential::Fields(BTreeMap::from([("bot".to_owned(), "b".into()), ("app".to_owned(), "c".into())])),
    ]
}

#[test]
fn credential_of_each_kind_is_the_same_after_reopening() {
    let directory = TempDir::new().expect("a directory");
    for credential in one_of_each() {
        let mut store = Store::open(directory.path()).expect("a store");
        let metadata = Metadata {
            account: Some("me@example.com".into()),
            host: Some("git.example.com".into()),
            scopes: vec!["repo".into(), "a \"b\"".into()],
            expires_at: Timestamp::from_millisecond(1_900_000_000_123).ok(),
            ..none()
        };
        let at = address(credential.kind().as_str());
        let stored = store.put(&at, &credential, &metadata).expect("stored");
        assert_eq!((&stored.address, &stored.credential, &stored.metadata), (&at, &credential, &metadata));
        drop(store);
        let store = Store::open_existing(directory.path()).expect("readable").expect("there");
        assert_eq!(store.get(&at).expect("readable"), Some(stored));
        assert_eq!(store.check().expect("checked"), Vec::<String>::new());
    }
}

#[test]
fn stored_times_are_kept_to_the_millisecond() {
    let mut store = Store::in_memory().expect("a store");
    let metadata = Metadata { expires_at: Timestamp::new(1_900_000_000, 123_456_789).ok(), ..none() };
    let stored = store.put(&address("codex"), &key("k"), &metadata).expect("stored");
    assert_eq!(stored.metadata.expires_at, Timestamp::from_millisecond(1_900_000_000_123).ok());
}

#[test]
fn replacing_keeps_the_creation_time_and_increases_the_version() {
    let mut store = Store::in_memory().expect("a store");
    let first = store.put(&address("codex"), &key("1"), &none()).expect("stored");
    // As if it had been stored long ago.
    store.connection.execute("UPDATE credential SET created_at = 1, updated_at = 1", []).expect("aged");
    let second = store.put(&address("codex"), &key("2"), &none()).expect("stored");
    assert_eq!(second.created_at.as_millisecond(), 1);
    assert!(second.updated_at >= first.updated_at);
    assert!(second.version > first.version);
    assert_eq!(store.get(&address("codex")).expect("readable"), Some(second));
}

#[test]
fn swap_with_an_outdated_version_is_lost() {
    let mut store = Store::in_memory().expect("a store");
    let at = address("codex");
    assert_eq!(store.swap(&at, 1, &key("x"), &none()).expect("swap"), Swap::Lost(None));
    let first = store.put(&at, &key("1"), &none()).expect("stored");
    let Swap::Swapped(second) = store.swap(&at, first.version, &key("2"), &none()).expect("swap") else {
        panic!("the version was the right one");
    };
    let late = store.swap(&at, first.version, &key("3"), &none()).expect("swap");
    assert_eq!(late, Swap::Lost(Some(second.clone())));
    assert_eq!(store.get(&at).expect("readable"), Some(second));
}

#[test]
fn version_after_a_removal_is_a_new_one() {
    let mut store = Store::in_memory().expect("a store");
    let at = address("codex");
    let before = store.put(&at, &key("1"), &none()).expect("stored");
    store.remove(&at).expect("removed");
    let after = store.put(&at, &key("2"), &none()).expect("stored");
    let late = store.swap(&at, before.version, &key("stale"), &none()).expect("swap");
    assert_eq!(late, Swap::Lost(Some(after)));
}

#[test]
fn put_that_reads_back_differently_is_an_error() {
    let mut store = Store::in_memory().expect("a store");
    let trigger = "CREATE TRIGGER t AFTER INSERT ON credential
                   BEGIN UPDATE credential SET account = 'somebody else'; END";
    store.connection.execute_batch(trigger).expect("a trigger");
    let error = store.put(&address("codex"), &key("1"), &none()).expect_err("another account");
    assert!(matches!(error, StoreError::ReadBack { .. }), "{error}");
}

#[test]
fn list_is_sorted_and_reads_no_secrets() {
    let mut store = Store::in_memory().expect("a store");
    let mut stored = Vec::new();
    for (provider, set, profile) in
        [("b", "default", "work"), ("a", "z", "default"), ("b", "default", "home"), ("a", "default", "x")]
    {
        let at = Address { set: name(set), provider: name(provider), profile: name(profile) };
        store.put(&at, &key("k"), &none()).expect("stored");
        stored.push((at.provider.clone(), at.set.clone(), at.profile));
    }
    store.connection.execute("UPDATE credential SET secret = x'00'", []).expect("broken secrets");
    let listed: Vec<_> = store.list(None).expect("listed").into_iter().map(|s| s.address).collect();
    stored.sort();
    let shown = listed.into_iter().map(|a| (a.provider, a.set, a.profile)).collect::<Vec<_>>();
    assert_eq!(shown, stored);
    assert_eq!(store.list(Some(&name("z"))).expect("listed").len(), 1);

    let error = store.get(&Address { set: name("z"), ..address("a") }).expect_err("not a credential");
    assert!(matches!(error, StoreError::NotOpened { .. }), "{error}");
    assert_eq!(store.check().expect("checked").len(), 4);
}

#[test]
fn removal_says_whether_a_credential_was_found() {
    let mut store = Store::in_memory().expect("a store");
    store.put(&address("codex"), &key("k"), &none()).expect("stored");
    assert!(store.remove(&address("codex")).expect("removed").found);
    assert!(!store.remove(&address("codex")).expect("removed").found);
    assert_eq!(store.get(&address("codex")).expect("readable"), None);
}

#[test]
fn open_existing_without_a_store_creates_nothing() {
    let directory = TempDir::new().expect("a directory");
    let missing = directory.path().join("missing");
    assert!(Store::open_existing(&missing).expect("no error").is_none());
    assert!(Store::open_existing(directory.path()).expect("no error").is_none());
    assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 0);
}

#[test]
fn second_writer_that_waits_too_long_is_locked_out() {
    let (directory, _) = with_database();
    let mut one = Store::open(directory.path()).expect("a store");
    let mut other = Store::open(directory.path()).expect("a store");
    other.connection.busy_timeout(std::time::Duration::ZERO).expect("no waiting");
    let held =
        one.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("held");
    let error = other.put(&address("gh"), &key("k"), &none()).expect_err("locked");
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(other.get(&address("codex")).expect("readers do not wait").is_some());
    held.rollback().expect("let go");
    other.put(&address("gh"), &key("k"), &none()).expect("stored");
}
