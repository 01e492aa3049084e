//! Requests that the API client cannot make: those that take over the connection, and those for data that only one
//! product has.

use std::io;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{HeaderMap, Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_util::bytes::Bytes;

/// The largest answer that is read whole.
const MAX_ANSWER: usize = 4 << 20;

/// Sends a request without a body to the engine at `url`, on a new connection.
pub(super) async fn send(url: &str, request: Request<Empty<Bytes>>) -> io::Result<Response<Incoming>> {
    match url.strip_prefix("unix://") {
        Some(path) => exchange(UnixStream::connect(path).await?, request).await,
        None => {
            let url = url::Url::parse(url).map_err(io::Error::other)?;
            let port = url.port().unwrap_or(2375);
            let host = url.host_str().ok_or_else(|| io::Error::other("the URL has no host"))?;
            exchange(TcpStream::connect(format!("{host}:{port}")).await?, request).await
        }
    }
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> io::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(io::Error::other)
}

/// Returns the headers of an answer to `/_ping`, the cheapest request: an engine identifies itself in the headers of
/// every answer.
pub(super) async fn ping(url: &str) -> io::Result<HeaderMap> {
    Ok(ask(url, "/_ping").await?.into_parts().0.headers)
}

/// Reads a JSON document from the engine.
pub(super) async fn get<T: DeserializeOwned>(url: &str, path: &str) -> io::Result<T> {
    let body = ask(url, path).await?.into_body();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(io::Error::other)?;
    let not_json = |_| io::Error::other("its answer is not JSON");
    serde_json::from_slice(&body.to_bytes()).map_err(not_json)
}

async fn ask(url: &str, path: &str) -> io::Result<Response<Incoming>> {
    let request =
        Request::get(path).header("Host", "localhost").body(Empty::new()).map_err(io::Error::other)?;
    let response = send(url, request).await?;
    if !response.status().is_success() {
        return Err(io::Error::other(format!("it answered with status {}", response.status())));
    }
    Ok(response)
}
