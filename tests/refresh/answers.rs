//! Nothing of a token is in what is said or left behind.

use serde_json::json;
use test_support::{
    Server,
    refresh::{EXPIRED, Home},
};

/// A vendor that repeats what it was sent.
#[test]
fn answer_that_repeats_the_token_is_not_quoted() {
    let answer =
        json!({"error": "invalid_grant", "error_description": "the token CANARY-R is unknown to us"});
    let server = Server::answering(Some((400, &answer.to_string())));
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "CANARY-A", "refresh_token": "CANARY-R"}), EXPIRED);
    for args in [
        &["refresh", "p", "acme"][..],
        &["refresh"],
        &["refresh", "--json"],
        &["token", "p", "acme"],
        &["status"],
    ] {
        let ran = home.run(args);
        let said =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(!said.contains("CANARY"), "{args:?}: {said}");
    }
    assert!(server.bodies()[0].contains("CANARY-R"));
    let why = home.store().attempt(&home.address()).expect("read").expect("recorded").why.expect("why");
    assert!(why.starts_with("invalid_grant") && !why.contains("CANARY"), "{why}");
}
