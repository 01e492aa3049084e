//! Pages for a browser that comes back to the loopback.

use std::{convert::Infallible, time::Duration};

use futures_util::FutureExt as _;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

/// The time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEAD: usize = 32 * 1024;

/// A page that loads nothing, sends no referrer, and repeats nothing of the request.
pub(in crate::login) struct Page {
    pub(in crate::login) status: u16,
    pub(in crate::login) title: &'static str,
    pub(in crate::login) text: &'static str,
}

impl Page {
    /// Renders the page.
    pub(in crate::login) fn response(&self) -> Response<Full<Bytes>> {
        let Self { status, title, text } = self;
        let html = format!(include_str!("page.html"), title = title, text = text);
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
}

/// Answers the one request of a connection. A browser that disconnects is no error.
pub(in crate::login) async fn answer<F: Future<Output = Response<Full<Bytes>>>>(
    connection: TcpStream,
    respond: impl Fn(Request<Incoming>) -> F,
) {
    let service = service_fn(|request| respond(request).map(Ok::<_, Infallible>));
    let _ = http1::Builder::new()
        .keep_alive(false)
        // Its formatter panics where the clock is beyond the year 9999.
        .auto_date_header(false)
        .max_buf_size(MAX_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(connection), service)
        .await;
}
