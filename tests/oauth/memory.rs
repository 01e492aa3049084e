//! A client whose store is in memory keeps credentials alive as any other does.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use authenticate::{
    Client, Error, LogoutError, ResolveError, cancel_pair, config::Paths, credential::Credential,
    login::LoginOptions, resolve::Resolved, revoke::Revocation,
};
use test_support::{Home, Stub, describe, json_reply, openid::SECRET, reply};

/// Logged in to `robot`.
async fn client(home: &Home) -> Client {
    let client = Client::in_memory(Paths::new(home.config(), home.data())).expect("a client");
    let (_handle, mut cancel) = cancel_pair();
    client.login("robot", LoginOptions::default(), &mut cancel).await.expect("logged in");
    client
}

fn robot(home: &Home, flow: &str, more: &str) {
    let secret = home.write("secret", SECRET);
    let secret = format!("client_id: machine, client_secret: 'file:{}'", secret.display());
    describe(
        home,
        "robot",
        &format!("modes: [client_credentials]\nclient_credentials: {{{flow}, {secret}}}\n{more}"),
    );
}

async fn token(client: &Client) -> String {
    access_token(&client.credential("robot").await.expect("a credential"))
}

fn access_token(found: &Resolved) -> String {
    match &found.credential {
        Credential::OAuth(oauth) => oauth.access_token.expose().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_gets_another_when_one_has_expired() {
    let count = AtomicUsize::new(0);
    let server = Stub::that(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        json_reply(200, &format!(r#"{{"access_token": "a{number}", "expires_in": 1}}"#))
    });
    let home = Home::new();
    robot(&home, &format!("token_url: '{}'", server.url("/token")), "");
    let client = client(&home).await;
    let first = client.credential("robot").await.expect("a credential");
    let end = first.metadata.expires_at.expect("an end");
    // It can be a second longer than its time until it is asked for again.
    while token(&client).await == access_token(&first) {
        assert!(jiff::Timestamp::now() < end + jiff::SignedDuration::from_secs(10), "never refreshed");
        tokio::task::yield_now().await;
    }
    assert!(server.asked().len() >= 2, "{:?}", server.asked());
    assert!(!exists(home.data()), "nothing is on the disk");
}

#[tokio::test]
async fn a_crowd_sends_the_refresh_token_once_and_logout_revokes_it() {
    let count = AtomicUsize::new(0);
    let server = Stub::that(move |asked| match asked.path.as_str() {
        "/revoke" => reply(200, "text/plain", ""),
        _ => match count.fetch_add(1, Ordering::Relaxed) {
            0 => json_reply(200, r#"{"access_token": "a0", "refresh_token": "r0", "expires_in": 0}"#),
            _ => json_reply(200, r#"{"access_token": "a1", "refresh_token": "r1", "expires_in": 3600}"#),
        },
    });
    let home = Home::new();
    robot(
        &home,
        &format!("token_url: '{}'", server.url("/token")),
        &format!("revoke: {{url: '{}'}}", server.url("/revoke")),
    );
    let client = client(&home).await;
    let crowd = (0..100).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { token(&client).await })
    });
    for one in crowd.collect::<Vec<_>>() {
        assert_eq!(one.await.expect("answered"), "a1");
    }
    let sent: Vec<_> =
        server.asked_at("/token").iter().map(|asked| asked.parameter("refresh_token")).collect();
    assert_eq!(sent, [None, Some("r0".to_owned())]);

    let left = client.logout("robot", None).await.expect("left");
    assert!(matches!(left.revocation, Revocation::Done), "{left:?}");
    let revoked: Vec<_> = server.asked_at("/revoke").iter().map(|asked| asked.parameter("token")).collect();
    assert_eq!(revoked, [Some("r1".to_owned()), Some("a1".to_owned())]);
    assert!(matches!(client.credential("robot").await, Err(Error::Resolve(ResolveError::NotFound { .. }))));
    assert!(matches!(client.logout("robot", None).await, Err(Error::Logout(LogoutError::NotStored { .. }))));
}

fn exists(path: impl AsRef<Path>) -> bool {
    path.as_ref().join("credentials.db").exists()
}
