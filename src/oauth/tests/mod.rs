//! Requests to real servers on the loopback, friendly and hostile.

mod certainty;
mod device;
mod requests;
mod server;

use std::time::Duration;

use super::*;
use crate::provider::descriptor::Body;
use server::Server;

pub(super) const CANARY: &str = "CANARY-0123456789-abcdefghij";

pub(super) fn http() -> Http {
    Http::limited(None, Duration::from_secs(2)).expect("a client")
}

pub(super) fn endpoint(server: &Server) -> TokenEndpoint {
    TokenEndpoint {
        url: server.url("/token").parse().expect("an endpoint"),
        client_id: "demo".into(),
        client_secret: None,
        client_auth: ClientAuth::Basic,
        body: Body::Form,
    }
}

pub(super) async fn refreshed(server: &Server) -> Result<Tokens, OAuthError> {
    refresh(&http(), &endpoint(server), &CANARY.into(), &LoginParameters::default()).await
}

/// Returns the error of a refresh, which shows nothing of what was sent.
pub(super) async fn refused(server: &Server) -> OAuthError {
    let error = refreshed(server).await.expect_err("an error");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("abcdefghij"), "{shown}");
    error
}
