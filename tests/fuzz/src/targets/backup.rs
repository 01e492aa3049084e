//! Sealed backups: the file as it lies there, and what is inside of one.

use std::{cell::RefCell, fs, io::Write as _};

use age::secrecy::ExposeSecret as _;
use authenticate::{
    credential::{Address, Credential, Metadata, OAuth, Record, Secret},
    store::{BackupLock, BackupUnlock, Store, StoreError, needs_passphrase},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::canary::hidden;

/// Opens the backups of the corpus, and nothing else.
const IDENTITY: &str = include_str!("../../identity.txt");
/// Seals those that have one.
const PASSPHRASE: &str = "correct horse";
/// The most work that is waited for here: 1024 rounds.
const WORK: u32 = 10;

thread_local! {
    /// A store that always holds the same when an input is tried.
    static STORE: RefCell<Store> = RefCell::new(fresh());
}

fn fresh() -> Store {
    let store = Store::in_memory().expect("a store");
    store.replace_all(&[record("before", Credential::api_key("before"))]).expect("stored");
    store
}

fn record(provider: &str, credential: Credential) -> Record {
    let address = Address::default_profile(provider.parse().expect("a name"));
    let metadata = Metadata { account: Some("me@example.com".into()), ..Metadata::default() };
    let at = Timestamp::from_second(1_700_000_000).expect("a time");
    Record { address, credential, metadata, created_at: at, updated_at: at, version: 0 }
}

/// The content of the backups in the corpus.
fn backed_up() -> Vec<(Address, Credential)> {
    let oauth = Credential::OAuth(OAuth {
        access_token: "c4nary!-access".into(),
        refresh_token: Some("c4nary!-refresh".into()),
        id_token: None,
        extra: [("account_id".to_owned(), Secret::new("c4nary!-extra"))].into(),
    });
    let records = [record("codex", oauth), record("openai", Credential::api_key("c4nary!-key"))];
    records.map(|record| (record.address, record.credential)).into()
}

/// The content of a store.
fn held(store: &Store) -> Vec<(Address, Credential)> {
    let list = store.list(None).expect("listed");
    list.into_iter()
        .map(|summary| {
            let record = store.get(&summary.address).expect("opened").expect("there");
            (record.address, record.credential)
        })
        .collect()
}

/// An altered file restores nothing. A good one restores all.
pub fn sealed(data: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("backup.age");
    fs::write(&file, data).expect("written");
    let unlock = match needs_passphrase(&file) {
        Err(error) => {
            hidden(&error);
            BackupUnlock::Identities(IDENTITY.into())
        }
        Ok(false) => BackupUnlock::Identities(IDENTITY.into()),
        Ok(true) if is_cheap(data) => BackupUnlock::Passphrase(PASSPHRASE.into()),
        Ok(true) => return,
    };
    STORE.with_borrow_mut(|store| match store.restore(&file, &unlock) {
        Ok(restored) => {
            assert_eq!(held(store), backed_up(), "something else was restored");
            assert_eq!(restored.credentials, backed_up().len());
            *store = fresh();
        }
        Err(error) => nothing_was_replaced(store, &error),
    });
    // What opens it is of one kind.
    let other = match unlock {
        BackupUnlock::Identities(_) => BackupUnlock::Passphrase(PASSPHRASE.into()),
        BackupUnlock::Passphrase(_) => BackupUnlock::Identities(IDENTITY.into()),
    };
    STORE.with_borrow(|store| {
        let error = store.restore(&file, &other).expect_err("restored by what does not open it");
        nothing_was_replaced(store, &error);
    });
}

fn nothing_was_replaced(store: &Store, error: &StoreError) {
    hidden(error);
    assert_eq!(
        held(store),
        [(Address::default_profile("before".parse().expect("a name")), Credential::api_key("before"))]
    );
}

/// Whether a file that claims a passphrase asks for no more work than there is time for.
fn is_cheap(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let line = text.lines().find(|line| line.starts_with("-> scrypt "));
    line.and_then(|line| line.split(' ').nth(3)?.parse::<u32>().ok()).is_some_and(|work| work <= WORK)
}

/// Restores the content of a backup whole, or not at all.
pub fn content(data: &[u8]) {
    let identity: age::x25519::Identity =
        IDENTITY.lines().last().and_then(|line| line.parse().ok()).expect("an identity");
    let recipient = identity.to_public();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("backup.age");
    let seal = || -> std::io::Result<()> {
        let encryptor = age::Encryptor::with_recipients([&recipient as &dyn age::Recipient].into_iter());
        let mut to = encryptor.expect("one recipient").wrap_output(fs::File::create(&file)?)?;
        to.write_all(data)?;
        to.finish().map(drop)
    };
    seal().expect("sealed");
    let unlock = BackupUnlock::Identities(identity.to_string().expose_secret().into());
    STORE.with_borrow_mut(|store| {
        let restored = match store.restore(&file, &unlock) {
            Err(error) => return nothing_was_replaced(store, &error),
            Ok(restored) => restored,
        };
        let now = held(store);
        let value: Value = serde_json::from_slice(data).expect("JSON");
        let given = value["credentials"].as_array().expect("a list");
        assert_eq!((now.len(), restored.credentials), (given.len(), given.len()));
        for one in given {
            let name = |field: &str| one[field].as_str().expect("a name").parse().expect("a name");
            let address = Address { set: name("set"), provider: name("provider"), profile: name("profile") };
            let credential = Credential::decode(one["credential"].to_string().as_bytes()).expect("one");
            assert!(now.contains(&(address, credential)), "one was restored as something else");
        }
        // A backup of it restores the same.
        let again = directory.path().join("again.age");
        store.backup(&again, &BackupLock::Recipients(vec![recipient.to_string()]), false).expect("backed up");
        store.restore(&again, &unlock).expect("restored");
        assert_eq!(held(store), now);
        *store = fresh();
    });
}
