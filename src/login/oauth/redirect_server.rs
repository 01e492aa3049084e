//! The loopback server of a redirect URI (RFC 8252 section 7.3), during one login.

use std::{sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    header::HOST,
};
use tokio::sync::{mpsc, watch};

use super::redirect::{AuthorizationResponse, ExpectedRedirect};
use crate::{
    login::loopback::{LoopbackPort, Page, Server, answer, constant_time_eq},
    store::RETRY_LIMIT,
};

/// The time limit for a page to wait for the login's outcome: a token request, and all tries to store the tokens.
const OUTCOME_TIMEOUT: Duration = RETRY_LIMIT.saturating_add(Duration::from_secs(90));

/// A running server; closed on drop.
pub struct RedirectServer {
    responses: mpsc::Receiver<AuthorizationResponse>,
    outcome: watch::Sender<Option<bool>>,
    server: Server,
}

const DONE: Page = Page {
    status: 200,
    title: "You are logged in",
    text: "You can close this page and go back to the terminal.",
};
const FAILED: Page = Page {
    status: 200,
    title: "The login has failed",
    text: "The terminal says why. You can close this page.",
};
const OTHER_LOGIN: Page = Page {
    status: 400,
    title: "This page belongs to another login",
    text: "The login in the terminal still waits. Open its address again.",
};
const NOT_FOUND: Page = Page { status: 404, title: "Page not found", text: "The login still waits." };

impl RedirectServer {
    /// Serves browsers on `port` until it is finished or dropped.
    pub(in crate::login) fn start(port: LoopbackPort, expected: ExpectedRedirect) -> Self {
        let (sender, responses) = mpsc::channel(1);
        let (outcome, watched) = watch::channel(None);
        let handler = Arc::new(Handler { expected, sender, outcome: watched });
        let server = Server::start(port, move |connection| {
            let handler = Arc::clone(&handler);
            async move { answer(connection, |request| handler.respond(request)).await }
        });
        Self { responses, outcome, server }
    }

    /// Returns the next authorization response; `None` once the server has stopped.
    pub async fn response(&mut self) -> Option<AuthorizationResponse> {
        self.responses.recv().await
    }

    /// Shows the browser the outcome of the login, and closes.
    pub async fn finish(self, done: bool) {
        self.outcome.send_replace(Some(done));
        self.server.close().await;
    }
}

struct Handler {
    expected: ExpectedRedirect,
    sender: mpsc::Sender<AuthorizationResponse>,
    outcome: watch::Receiver<Option<bool>>,
}

impl Handler {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let redirect_uri = self.expected.redirect_uri();
        let port = self.expected.port();
        let is_path = constant_time_eq(redirect_uri.path(), request.uri().path());
        if request.method() != Method::GET || !is_for_loopback(&request, port) || !is_path {
            return NOT_FOUND.response();
        }
        let target = request.uri().path_and_query().map(|target| target.as_str()).unwrap_or_default();
        let address = format!("http://127.0.0.1:{port}{target}");
        let Ok(response) = self.expected.parse_redirect(&address) else { return OTHER_LOGIN.response() };
        // Only the first response counts. A reloaded page shows its outcome.
        let _ = self.sender.try_send(response);
        let mut watched = self.outcome.clone();
        let outcome = tokio::time::timeout(OUTCOME_TIMEOUT, watched.wait_for(Option::is_some)).await;
        match outcome.ok().and_then(Result::ok).and_then(|done| *done) {
            Some(true) => DONE.response(),
            _ => FAILED.response(),
        }
    }
}

/// Whether a request names this port of the loopback everywhere: in its one `Host`, and in an absolute target. Any other
/// name is DNS rebinding: a page of another site that tries to read the response.
fn is_for_loopback<T>(request: &Request<T>, port: u16) -> bool {
    let is_ours = |host: &str| {
        let rest = ["127.0.0.1", "localhost"].iter().find_map(|name| host.strip_prefix(name));
        // Browsers leave out the default port of a scheme.
        rest.is_some_and(|rest| rest == format!(":{port}") || (rest.is_empty() && port == 80))
    };
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(is_ours)
        && request.uri().authority().is_none_or(|authority| is_ours(authority.as_str()))
        && request.uri().scheme_str().is_none_or(|scheme| scheme == "http")
}
