//! The loopback server of a redirect URI (RFC 8252 section 7.3): on 127.0.0.1, during one login.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

use super::redirect::{AuthorizationResponse, ExpectedRedirect};
use crate::{
    login::loopback::{Server, constant_time_eq},
    store::RETRY_LIMIT,
};

/// The time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for a page to wait for the login's outcome: a token request, and all tries to store the tokens.
const OUTCOME_TIMEOUT: Duration = RETRY_LIMIT.saturating_add(Duration::from_secs(90));
const MAX_HEAD: usize = 32 * 1024;

/// A running server; closed on drop.
pub struct RedirectServer {
    responses: mpsc::Receiver<AuthorizationResponse>,
    outcome: watch::Sender<Option<bool>>,
    server: Server,
}

struct Page {
    status: u16,
    title: &'static str,
    text: &'static str,
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
    /// Serves browsers on `listener` until it is finished or dropped.
    pub fn start(listener: TcpListener, expected: ExpectedRedirect) -> Self {
        let (sender, responses) = mpsc::channel(1);
        let (outcome, watched) = watch::channel(None);
        let handler = Arc::new(Handler { expected, sender, outcome: watched });
        let server = Server::start(listener, move |connection| serve(connection, Arc::clone(&handler)));
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

async fn serve(connection: TcpStream, handler: Arc<Handler>) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(handler.respond(request).await) });
    // A browser that disconnects does not end the login.
    let _ = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

impl Handler {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let redirect_uri = self.expected.redirect_uri();
        let port = redirect_uri.port().unwrap_or(80);
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // Any other name is DNS rebinding: a page of another site that tries to read the response.
        let is_loopback = host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}");
        let target = request.uri().path_and_query().map(|target| target.as_str()).unwrap_or_default();
        let is_path = constant_time_eq(redirect_uri.path(), request.uri().path());
        if request.method() != Method::GET || !is_loopback || !is_path {
            return page(&NOT_FOUND);
        }
        let address = format!("http://127.0.0.1:{port}{target}");
        let Ok(response) = self.expected.parse_redirect(&address) else { return page(&OTHER_LOGIN) };
        // Only the first response counts. A reloaded page shows its outcome.
        let _ = self.sender.try_send(response);
        let mut watched = self.outcome.clone();
        let outcome = tokio::time::timeout(OUTCOME_TIMEOUT, watched.wait_for(Option::is_some)).await;
        match outcome.ok().and_then(Result::ok).and_then(|done| *done) {
            Some(true) => page(&DONE),
            _ => page(&FAILED),
        }
    }
}

/// Renders a page that loads nothing, sends no referrer, and repeats nothing of the request.
fn page(page: &Page) -> Response<Full<Bytes>> {
    let Page { status, title, text } = page;
    let html = format!(include_str!("redirect.html"), title = title, text = text);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    let builder = headers
        .into_iter()
        .fold(Response::builder().status(*status), |builder, (name, value)| builder.header(name, value));
    builder.body(Full::new(Bytes::from(html))).unwrap_or_default()
}
