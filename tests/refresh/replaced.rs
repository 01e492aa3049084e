//! A credential that is replaced while others wait to refresh it.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
};

use authenticate::{
    Client, Error, ResolveError,
    credential::{Credential, Metadata, Owner},
    refresh::{RefreshError, Refreshed},
    resolve::ensure_fresh::FreshCredential,
};
use serde_json::json;
use test_support::{
    Server, eventually,
    refresh::{EXPIRED, Home},
    runtime,
};

const NEW: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;

fn home(server: &Server) -> Home {
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    home
}

/// The credential handed out if `happens` runs while the refresh lock is waited for.
fn asked_while(home: &Home, happens: impl FnOnce()) -> Result<FreshCredential, Error> {
    let turns = home.paths.data().join("turns");
    DirBuilder::new().recursive(true).mode(0o700).create(&turns).expect("made");
    let path = turns.join("default~acme~default.lock");
    let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("made");
    lock.try_lock().expect("ours");
    let client = Client::new(home.paths.clone());
    runtime().block_on(async {
        let asking = client.credential("acme");
        tokio::pin!(asking);
        tokio::select! {
            biased;
            done = &mut asking => panic!("too soon: {done:?}"),
            () = async {} => {}
        }
        happens();
        fs::remove_file(&path).expect("removed");
        drop(lock);
        asking.await
    })
}

#[test]
fn expired_replacement_of_the_vendors_tool_is_not_handed_out() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    let found = asked_while(&home, || {
        let vendors = Metadata { owner: Owner::Vendor, ..Metadata::default() };
        home.logged_in_as(&json!({"access_token": "VENDORS", "refresh_token": "VVV"}), EXPIRED, vendors);
    });
    let error = found.expect_err("it has expired");
    let Error::Resolve(ResolveError::Expired { owner, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(*owner, Owner::Vendor);
    assert_eq!(server.bodies().len(), 0);
    let last = home.store().audit_log(None, 1).expect("read").remove(0);
    assert_eq!((last.action.as_str(), last.outcome.as_str()), ("token", "expired"));
}

#[test]
fn replacement_that_is_due_is_refreshed() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    let found = asked_while(&home, || {
        home.logged_in(&json!({"access_token": "OTHER", "refresh_token": "TTT"}), EXPIRED);
    });
    assert_eq!(found.expect("refreshed").usable().expect("one").expose(), "NEW");
    assert!(matches!(server.bodies().as_slice(), [body] if body.contains("refresh_token=TTT")));
}

#[test]
fn replacement_with_time_left_is_used() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    let found = asked_while(&home, || {
        home.logged_in(&json!({"access_token": "OTHER", "refresh_token": "TTT"}), -EXPIRED * 3600);
    });
    assert_eq!(found.expect("found").usable().expect("one").expose(), "OTHER");
    assert_eq!(server.bodies().len(), 0);
}

#[test]
fn replacement_with_a_blank_field_is_filled() {
    let server = Server::answering(Some((200, NEW)));
    let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "acme-cli"});
    let fields = json!({"a": {"label": "A"}, "b": {"label": "B", "env_var": "CARGO_PKG_NAME"}});
    let home = Home::described(json!({"modes": ["fields"], "fields": fields, "refresh": refresh}));
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let found = asked_while(&home, || {
        let stored = Credential::Fields([("a".to_owned(), "AAA".into())].into());
        home.store().put(&home.address(), &stored, &Metadata::default()).expect("stored");
    });
    let found = found.expect("found");
    assert_eq!(found.field("b").expect("filled").expose(), env!("CARGO_PKG_NAME"));
    assert_eq!(found.fields.len(), 2, "{:?}", found.fields);
}

/// The outcome of a refresh during which the stored credential changes, and the log entries since then.
fn refreshed_while(home: &Home, happens: impl FnOnce()) -> (Result<Refreshed, RefreshError>, Vec<String>) {
    let (server, tell) = Server::held(200, NEW);
    home.renews_at(&server.url);
    let before = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let refreshed = std::thread::scope(|scope| {
        let refreshing = scope.spawn(|| home.renew(&before, false));
        eventually("the exchange", || server.bodies().len() == 1);
        happens();
        tell.send(()).expect("told");
        refreshing.join().expect("ended")
    });
    let mut log = home.store().audit_log(None, 2).expect("read");
    log.reverse();
    (refreshed, log.iter().map(|entry| format!("{} {}", entry.action, entry.outcome)).collect())
}

#[test]
fn refresh_that_lost_a_race_is_recorded() {
    let home = Home::new("http://127.0.0.1:1/token");
    let (refreshed, log) = refreshed_while(&home, || {
        home.logged_in(&json!({"access_token": "OTHER", "refresh_token": "TTT"}), EXPIRED);
    });
    assert_eq!(refreshed.expect("there is one"), Refreshed::Earlier(home.record()));
    assert_eq!(log, ["store ok", "refresh replaced"]);
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None, "the other one was not sent");

    let (refreshed, log) = refreshed_while(&home, || {
        home.store().remove(&home.address()).expect("removed");
    });
    assert!(matches!(refreshed, Err(RefreshError::Gone { .. })), "{refreshed:?}");
    assert_eq!(log, ["remove ok", "refresh gone"]);
}
