//! Listening for the browser that comes back: on 127.0.0.1, during the login, for one path and one state.

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
    net::TcpListener,
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};

use super::redirect::{AuthorizationResponse, ExpectedRedirect};
use crate::login::cli::port_forward::constant_time_eq;

/// How long a connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a page may wait for the login's end. Longer than a token request takes.
const OUTCOME: Duration = Duration::from_secs(90);
/// How long the last page may take to be delivered.
const GOODBYE: Duration = Duration::from_secs(2);
/// More connections at once are nobody's browser.
pub(in crate::login) const MOST: usize = 64;
const MAX_HEAD: usize = 32 * 1024;

/// The listener; closed when dropped.
pub struct RedirectServer {
    answers: mpsc::Receiver<AuthorizationResponse>,
    outcome: watch::Sender<Option<bool>>,
    task: JoinHandle<()>,
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
const NOT_OURS: Page = Page {
    status: 400,
    title: "This is not the login that is running",
    text: "The login in the terminal still waits. Open its address again.",
};
const NOT_HERE: Page = Page { status: 404, title: "There is nothing here", text: "The login still waits." };

impl RedirectServer {
    /// Answers browsers on `listener`, until it is finished or dropped.
    pub fn start(listener: TcpListener, awaited: ExpectedRedirect) -> Self {
        let (sender, answers) = mpsc::channel(1);
        let (outcome, told) = watch::channel(None);
        let task = tokio::spawn(serve(listener, Arc::new(Handler { awaited, sender, told })));
        Self { answers, outcome, task }
    }

    /// What the browser came back with. Never returns when nothing can come any more.
    pub async fn answer(&mut self) -> AuthorizationResponse {
        match self.answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Tells the browser how the login ended, and closes.
    pub async fn finish(mut self, done: bool) {
        self.outcome.send_replace(Some(done));
        let _ = tokio::time::timeout(GOODBYE, &mut self.task).await;
    }
}

impl Drop for RedirectServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Handler {
    awaited: ExpectedRedirect,
    sender: mpsc::Sender<AuthorizationResponse>,
    told: watch::Receiver<Option<bool>>,
}

async fn serve(listener: TcpListener, desk: Arc<Handler>) {
    let mut ended = desk.told.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((connection, _)) if connections.len() < MOST => {
                    let desk = Arc::clone(&desk);
                    connections.spawn(async move {
                        let service = service_fn(move |request| {
                            let desk = Arc::clone(&desk);
                            async move { Ok::<_, Infallible>(desk.answer(request).await) }
                        });
                        // A browser that goes away is no error of the login.
                        let _ = http1::Builder::new()
                            .keep_alive(false)
                            .max_buf_size(MAX_HEAD)
                            .timer(TokioTimer::new())
                            .header_read_timeout(PATIENCE)
                            .serve_connection(TokioIo::new(connection), service)
                            .await;
                    });
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = ended.changed() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

impl Handler {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let redirect = self.awaited.redirect();
        let port = redirect.port().unwrap_or(80);
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // Another name that leads here is a page's attempt to read what only the browser is to see.
        let named = host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}");
        let target = request.uri().path_and_query().map(|target| target.as_str()).unwrap_or_default();
        let is_path = constant_time_eq(redirect.path(), request.uri().path());
        if request.method() != Method::GET || !named || !is_path {
            return page(&NOT_HERE);
        }
        let address = format!("http://127.0.0.1:{port}{target}");
        let Ok(answer) = self.awaited.redirected(&address) else { return page(&NOT_OURS) };
        // The first counts. A browser that asks again sees how that one ended.
        let _ = self.sender.try_send(answer);
        let mut told = self.told.clone();
        let outcome = tokio::time::timeout(OUTCOME, told.wait_for(Option::is_some)).await;
        match outcome.ok().and_then(Result::ok).and_then(|done| *done) {
            Some(true) => page(&DONE),
            _ => page(&FAILED),
        }
    }
}

/// A page that needs nothing from anywhere, tells nobody where it was, and repeats nothing of what it was asked.
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
