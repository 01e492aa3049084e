//! A vendor that does not serve requests now is asked once by all who wait, and not before its own time.

use authenticate::{oauth::OAuthError, refresh::RefreshError, store::FILE_NAME};
use futures_util::future::join_all;
use serde_json::json;
use test_support::{
    Server, eventually,
    refresh::{EXPIRED, Home},
    runtime,
};

fn home(server: &Server) -> Home {
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    home
}

fn postponed(error: &RefreshError) -> bool {
    matches!(error, RefreshError::BackingOff { until: None, why, .. } if why.contains("503"))
}

#[test]
fn waiting_tasks_share_one_failure() {
    let server = Server::answering(Some((503, "{}")));
    let home = home(&server);
    let record = home.record();
    let asked = runtime().block_on(join_all((0..50).map(|_| home.renewing(&record, false))));
    let errors: Vec<RefreshError> =
        asked.into_iter().map(|asked| asked.expect_err("not refreshed")).collect();
    assert_eq!(server.bodies().len(), 1);
    assert_eq!(errors.iter().filter(|error| postponed(error)).count(), 49);
    assert!(home.renew(&record, false).is_err());
    assert_eq!(server.bodies().len(), 2, "who comes later is a new chance");
}

#[test]
fn waiting_process_shares_the_failure() {
    let (server, tell) = Server::held(503, "{}");
    let home = home(&server);
    let record = home.record();
    let child =
        home.command(&["token", "p", "acme"]).stderr(std::process::Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    let here = runtime().block_on(async {
        let waiting = home.renewing(&record, false);
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            done = &mut waiting => panic!("too soon: {done:?}"),
            () = async { tell.send(()).expect("told") } => {}
        }
        waiting.await
    });
    assert!(here.as_ref().is_err_and(postponed), "{here:?}");
    let there = child.wait_with_output().expect("ended");
    assert_eq!(there.status.code(), Some(7), "{}", String::from_utf8_lossy(&there.stderr));
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn vendor_with_retry_after_is_not_asked_earlier() {
    let server = Server::answering_with("Retry-After: 120", 429, r#"{"error": "rate_limited"}"#);
    let home = home(&server);
    let record = home.record();
    let first = home.renew(&record, false);
    assert!(
        matches!(
            &first,
            Err(RefreshError::Server { source: OAuthError::Unavailable { status: 429, .. }, .. })
        ),
        "{first:?}"
    );
    let ran = home.run(&["refresh", "p", "acme"]);
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(7), "{stderr}");
    assert!(stderr.contains("its vendor is not asked before") && stderr.contains("429"), "{stderr}");
    assert_eq!(server.bodies().len(), 1);

    assert_eq!(home.run(&["refresh", "p", "acme", "--force"]).status.code(), Some(7));
    assert_eq!(server.bodies().len(), 2, "with force, at once");

    let database = rusqlite::Connection::open(home.paths.data().join(FILE_NAME)).expect("opened");
    database.execute("UPDATE exchange SET backoff_until = backoff_at", []).expect("changed");
    drop(database);
    assert!(home.renew(&record, false).is_err());
    assert_eq!(server.bodies().len(), 3, "its time is over");
}
