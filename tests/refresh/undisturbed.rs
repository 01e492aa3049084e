//! The store is given another key, or replaced by a backup, while a token is under way.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    process::Stdio,
    task::Poll,
};

use authenticate::{
    refresh::{RefreshError, maintenance},
    store::{
        AttemptState, BackupLock, BackupUnlock, BeginOutcome, KeySource, Rekey, SharedStore, Store,
        StoreError,
    },
};
use serde_json::json;
use test_support::{
    Server, eventually,
    refresh::{EXPIRED, Home, access_token},
    runtime,
};

const ANSWER: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;
const PASSPHRASE: &str = "correct horse battery staple";

fn with_passphrase() -> Rekey {
    Rekey { source: Some(KeySource::Passphrase), passphrase: Some(PASSPHRASE.into()), ..Rekey::default() }
}

/// Whether it waits. It is not over before the vendor has answered.
async fn waits<T>(change: &mut (impl Future<Output = T> + Unpin)) -> bool {
    let mut change = std::pin::Pin::new(change);
    poll_fn(|context| Poll::Ready(change.as_mut().poll(context).is_pending())).await
}

/// Refreshes with another process, and runs `change` while the vendor takes its time.
fn while_refreshing<T>(home: &Home, change: impl AsyncFnOnce() -> Result<T, RefreshError>) -> T {
    let (server, answer) = Server::held(200, ANSWER);
    home.renews_at(&server.url);
    let mut command = home.command(&["token", "p", "acme"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    let changed = runtime().block_on(async {
        let mut change = pin!(change());
        assert!(waits(&mut change).await, "it waits for the answer");
        answer.send(()).expect("told");
        change.await.expect("done")
    });
    let output = child.wait_with_output().expect("ended");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "NEW\n", "{stderr}");
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    changed
}

fn logged_in() -> Home {
    let home = Home::new("http://127.0.0.1:1/token");
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    home
}

#[test]
fn rekey_waits_for_a_refresh_and_seals_its_answer() {
    let home = logged_in();
    let store = SharedStore::new(home.store());
    while_refreshing(&home, async || maintenance::rekey(&store, with_passphrase()).await);
    drop(store);
    let store = home.store();
    store.unlock(&PASSPHRASE.into()).expect("unlocked");
    let record = store.get(&home.address()).expect("read").expect("stored");
    assert_eq!(access_token(&record), "NEW");
    assert_eq!(store.attempt(&home.address()).expect("read"), None);
}

#[test]
fn restore_waits_for_a_refresh_and_keeps_its_answer() {
    let home = logged_in();
    let file = home.paths.data().join("b.age");
    home.store().backup(&file, &BackupLock::Passphrase(PASSPHRASE.into()), false).expect("written");
    let unlock = BackupUnlock::Passphrase(PASSPHRASE.into());
    let store = SharedStore::new(home.store());
    let restore = async || maintenance::restore(&store, file.clone(), unlock.clone()).await;
    let restored = while_refreshing(&home, restore);
    assert_eq!(access_token(&home.record()), "OLD");
    let known = home.store().attempt(&home.address()).expect("read").expect("recorded");
    assert_eq!(known.state, AttemptState::Unknown, "the old token was spent");
    let copy = restored.before.expect("a copy");
    home.store().restore(&copy, &unlock).expect("restored");
    assert_eq!(access_token(&home.record()), "NEW");
}

#[test]
fn store_refuses_a_rekey_during_a_refresh() {
    let home = logged_in();
    let file = home.paths.data().join("b.age");
    home.store().backup(&file, &BackupLock::Passphrase(PASSPHRASE.into()), false).expect("written");
    let record = home.record();
    home.store().begin_attempt(&record.address, record.version, "somebody", false).expect("begun");
    let refused = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::RefreshInFlight { .. })), "{result:?}");
    };
    refused(home.store().rekey(&Rekey::default()));
    refused(home.store().restore(&file, &BackupUnlock::Passphrase(PASSPHRASE.into())).map(drop));
    assert_eq!(home.record(), record);
}

/// The verbs see that nobody has the turn.
#[test]
fn attempt_of_a_dead_process_blocks_nothing() {
    let home = logged_in();
    let record = home.record();
    home.store().begin_attempt(&record.address, record.version, "somebody", false).expect("begun");
    let ran = home.run(&["store", "rekey"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let known = home.store().attempt(&home.address()).expect("read").expect("recorded");
    assert_eq!(known.state, AttemptState::Unknown);
}

#[test]
fn token_is_not_sent_if_the_store_key_needs_a_question() {
    let home = logged_in();
    let record = home.record();
    let mut store: Store = home.store();
    store.prepare().expect("the key");
    let begin = |store: &mut Store| store.begin_attempt(&record.address, record.version, "me", false);
    home.store().rekey(&Rekey::default()).expect("another key");
    assert_eq!(begin(&mut store).expect("begun"), BeginOutcome::Started(None));
    store.remove_attempt(&record.address, record.version).expect("forgotten");
    home.store().rekey(&with_passphrase()).expect("another source");
    let error = begin(&mut store).expect_err("nobody to ask");
    assert!(matches!(error, StoreError::PassphraseNeeded { .. }), "{error}");
    assert_eq!(store.attempt(&record.address).expect("read"), None);
}
