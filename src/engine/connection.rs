//! Connections to an engine's API, and the requests that the API client cannot make.

use std::{
    error::Error,
    io,
    iter::successors,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bollard::{BollardRequest, body_full};
use futures_util::Stream;
use http_body_util::{BodyExt as _, Either, Full, Limited, StreamBody};
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Frame, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use super::address::Address;

/// The largest answer that is read whole.
const MAX_ANSWER: usize = 4 << 20;

/// The body of a request of the API client.
type Body = Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;

/// The connections to one engine. One that is free again serves the next request: over SSH or TLS each costs a handshake.
pub(super) struct Connection {
    address: Address,
    open: Mutex<Vec<SendRequest<Body>>>,
}

impl Connection {
    pub(super) fn new(address: Address) -> Self {
        Self { address, open: Mutex::default() }
    }

    /// Sends a request and returns the answer, whose body may still be on its way.
    pub(super) async fn send(&self, mut request: BollardRequest) -> io::Result<Response<Incoming>> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost"));
        loop {
            let (mut sender, is_new) = match self.free() {
                Some(sender) => (sender, false),
                None => (self.connect().await?, true),
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.lock().push(sender);
                    return Ok(response);
                }
                // The engine has closed a connection that was free, before any of the request was sent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(innermost(&error.into_error())),
                },
            }
        }
    }

    /// Reads a JSON document from the engine.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> io::Result<T> {
        let body = self.ask(path).await?.into_body();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(io::Error::other)?;
        let not_json = |_| io::Error::other("its answer is not JSON");
        serde_json::from_slice(&body.to_bytes()).map_err(not_json)
    }

    /// Asks for something that every engine has.
    pub(super) async fn ask(&self, path: &str) -> io::Result<Response<Incoming>> {
        let request = Request::get(path).body(body_full(Bytes::new())).map_err(io::Error::other)?;
        let response = self.send(request).await?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!("it answered with status {}", response.status())));
        }
        Ok(response)
    }

    fn free(&self) -> Option<SendRequest<Body>> {
        let mut open = self.lock();
        open.retain(|sender| !sender.is_closed());
        let free = open.iter().position(SendRequest::is_ready)?;
        Some(open.swap_remove(free))
    }

    async fn connect(&self) -> io::Result<SendRequest<Body>> {
        let stream = self.address.connect().await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| innermost(&error))?;
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the cause alone: what the streams say is meant for people, unlike the client's own words around it.
fn innermost(error: &hyper::Error) -> io::Error {
    let cause = successors(Some(error as &dyn Error), |&cause| cause.source()).last();
    io::Error::other(cause.unwrap_or(error).to_string())
}
