//! The thread of an asynchronous caller, while somebody else uses the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use authenticate::{Client, cancel_pair, login::LoginOptions, store::SharedStore};
use serde_json::json;
use test_support::{
    Issuer, Server,
    refresh::{EXPIRED, Home},
    runtime,
};

/// The longest that a thread that is not blocked takes to get to its next task.
const PATIENCE: Duration = Duration::from_secs(10);

/// Holds the lock of a store again and again, each time until a task of the runtime has run.
struct OtherUser {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<bool>,
}

impl OtherUser {
    fn of(store: &SharedStore) -> Self {
        let (turns, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let counted = turns.clone();
        tokio::spawn(async move {
            loop {
                counted.fetch_add(1, SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let (store, is_over) = (store.clone(), ended.clone());
        let thread = thread::spawn(move || {
            while !is_over.load(SeqCst) {
                let held = store.lock();
                let (locked, before) = (Instant::now(), turns.load(SeqCst));
                while turns.load(SeqCst) < before + 2 && !is_over.load(SeqCst) {
                    if locked.elapsed() > PATIENCE {
                        return false;
                    }
                    thread::yield_now();
                }
                drop(held);
                // A thread that waits for the lock gets it now.
                thread::sleep(Duration::from_micros(100));
            }
            true
        });
        Self { ended, thread }
    }

    /// Whether the runtime's thread was never blocked.
    fn was_never_waited_for(self) -> bool {
        self.ended.store(true, SeqCst);
        self.thread.join().expect("ran")
    }
}

/// Runs operations of a client whose store somebody else uses, too.
fn is_undisturbed(home: &Home, operations: impl AsyncFnOnce(Client)) -> bool {
    let store = SharedStore::new(home.store());
    let client = Client::with_store(home.paths.clone(), store.clone());
    runtime().block_on(async {
        let other = OtherUser::of(&store);
        operations(client).await;
        other.was_never_waited_for()
    })
}

fn key() -> LoginOptions {
    LoginOptions { api_key: Some("acme-0123456789".into()), ..LoginOptions::default() }
}

#[test]
fn refresh_does_not_block_the_callers_thread() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    home.logged_in(&issuer.login(), EXPIRED);
    assert!(is_undisturbed(&home, async |client| {
        client.credential("acme").await.expect("refreshed");
        for _ in 0..5 {
            client.refresh("acme", true).await.expect("refreshed");
            client.refresh_all(true).await.expect("refreshed");
        }
    }));
    assert_eq!(issuer.exchanges(), 11);
}

#[test]
fn failed_refresh_does_not_block_the_callers_thread() {
    let server = Server::answering(Some((400, r#"{"error": "invalid_grant"}"#)));
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    assert!(is_undisturbed(&home, async |client| {
        client.credential("acme").await.expect_err("it has ended");
        client.refresh("acme", false).await.expect_err("it is known to have ended");
    }));
}

#[test]
fn reports_and_logins_do_not_block_the_callers_thread() {
    let home = Home::new("http://127.0.0.1:9/token");
    assert!(is_undisturbed(&home, async |client| {
        for _ in 0..5 {
            client.login("acme", key(), &mut cancel_pair().1).await.expect("logged in");
            client.ensure("acme", key(), &mut cancel_pair().1).await.expect("there");
            client.stored("acme").await.expect("read");
            client.status("acme").await.expect("read");
            client.list_all().await.expect("read");
            client.unreadable().await.expect("read");
            client.headers("acme").await.expect_err("its API is not described");
            assert!(client.is_any_authenticated().await.expect("known"));
            client.logout("acme", None).await.expect("logged out");
            client.logout_all().await.expect("nothing is left");
        }
    }));
}

#[test]
fn oauth_login_does_not_block_the_callers_thread() {
    let server = Server::answering(Some((200, r#"{"access_token": "NEW", "token_type": "Bearer"}"#)));
    let grant = json!({"token_url": server.url, "client_id": "us", "client_secret": "env:PATH"});
    let home = Home::described(json!({"modes": ["client_credentials"], "client_credentials": grant}));
    assert!(is_undisturbed(&home, async |client| {
        for _ in 0..5 {
            client.login("acme", LoginOptions::default(), &mut cancel_pair().1).await.expect("logged in");
        }
    }));
}

#[test]
fn refresh_that_is_given_up_at_any_moment_loses_nothing() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    home.logged_in(&issuer.login(), EXPIRED);
    let client = Client::new(home.paths.clone());
    runtime().block_on(async {
        for moment in 0..60 {
            let moment = Duration::from_micros(250 * moment);
            let _ = tokio::time::timeout(moment, client.refresh("acme", true)).await;
            client.refresh("acme", false).await.expect("not in doubt");
            home.expire();
        }
        client.credential("acme").await.expect("refreshed");
    });
    assert_eq!(issuer.ended(), 0);
}
