//! Sends a pasted redirect to the CLI in the container, in place of the browser.

use std::{io, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{Container, EngineError};

/// Time for the CLI to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// The largest head of an answer.
const MAX_HEAD: usize = 32 * 1024;

/// Requests `target` (path and query) from `port` of the container's loopback and returns the status of the answer.
///
/// # Errors
/// Those of [`Container::relay`], [`EngineError::Io`] without an answer in time.
pub(super) async fn replay(container: &Container, port: u16, target: String) -> Result<u16, EngineError> {
    let failed = |source| EngineError::Io {
        action: format!("send the redirect to port {port} in the container"),
        source,
    };
    let request = async {
        let relay = container.relay(port).await?;
        get(relay, port, &target).await.map_err(failed)
    };
    let expired = io::Error::new(io::ErrorKind::TimedOut, "no answer");
    tokio::time::timeout(ANSWER_LIMIT, request).await.unwrap_or_else(|_| Err(failed(expired)))
}

/// Makes one request over `stream` and reads its answer to the end, so that the CLI can send all of it.
async fn get<S>(stream: S, port: u16, target: &str) -> io::Result<u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Building it fails for a target that would not stay within the request line.
    let request = Request::get(target)
        .header("Host", format!("localhost:{port}"))
        .header("Accept", "*/*")
        .header("Connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let mut client = http1::Builder::new();
    let handshake = client.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let exchange = pin!(async move {
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let (head, mut body) = response.into_parts();
        // A body that breaks off changes nothing: the CLI has the redirect.
        while let Some(Ok(_)) = body.frame().await {}
        Ok(head.status.as_u16())
    });
    match select(exchange, pin!(connection)).await {
        Either::Left((status, _connection)) => status,
        Either::Right((_ended, exchange)) => exchange.await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Sends `target` to a program that answers with `answer`; what it read, and the result.
    async fn exchange(target: &str, answer: &'static str) -> (String, io::Result<u16>) {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let program = async move {
            let mut read = vec![0; 64 * 1024];
            let count = theirs.read(&mut read).await.expect("read");
            // It may be gone before the answer's end.
            let _ = theirs.write_all(answer.as_bytes()).await;
            String::from_utf8_lossy(&read[..count]).into_owned()
        };
        tokio::join!(program, get(ours, 1455, target))
    }

    #[tokio::test]
    async fn replay_sends_one_request_with_the_target_as_it_is() {
        let target = "/auth/callback?code=c%0d%0aX:%20y&state=s1";
        let (request, status) = exchange(target, "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nok").await;
        assert_eq!(status.expect("answered"), 302);
        assert!(request.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{request}");
        assert!(request.to_ascii_lowercase().contains("host: localhost:1455\r\n"), "{request}");
        assert_eq!(request.matches("\r\n\r\n").count(), 1, "{request}");
        assert!(request.ends_with("\r\n\r\n"), "{request}");
    }

    #[tokio::test]
    async fn replay_of_a_target_with_another_request_in_it_sends_nothing() {
        for target in ["/callback?code=c\r\n\r\nGET /other", "/callback?code=c HTTP/1.1", "/call\nback"] {
            let (request, status) = exchange(target, "HTTP/1.1 200 OK\r\n\r\n").await;
            assert!(status.is_err(), "{target:?}");
            assert_eq!(request, "", "{target:?}");
        }
    }

    #[tokio::test]
    async fn replay_without_an_http_answer_fails() {
        for answer in ["", "hello\r\n\r\n"] {
            assert!(exchange("/callback?code=c", answer).await.1.is_err(), "{answer:?}");
        }
    }

    #[tokio::test]
    async fn replay_with_an_answer_that_breaks_off_returns_its_status() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        assert_eq!(exchange("/callback?code=c", answer).await.1.expect("answered"), 200);
    }
}
