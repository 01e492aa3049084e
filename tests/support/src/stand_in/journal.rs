//! A journal of the requests that a stand-in received: tests count them instead of sleeping.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

/// Every method and path seen so far, in the order of their first request.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

/// How often one method was used on one path, and how it was answered.
#[derive(Clone, Serialize)]
pub struct Entry {
    method: String,
    path: String,
    count: usize,
    statuses: Vec<u16>,
}

/// Middleware: notes each request, except for those to /test/.
pub async fn note(State(journal): State<Journal>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if !path.starts_with("/test/") {
        journal.add(&method, path, response.status().as_u16());
    }
    response
}

/// `GET /test/requests`
pub async fn show(State(journal): State<Journal>) -> Json<Vec<Entry>> {
    Json(lock(&journal.0).clone())
}

impl Journal {
    fn add(&self, method: &Method, path: String, status: u16) {
        let mut entries = lock(&self.0);
        match entries.iter_mut().find(|entry| entry.method == method.as_str() && entry.path == path) {
            Some(entry) => {
                entry.count += 1;
                entry.statuses.push(status);
            }
            None => {
                entries.push(Entry { method: method.to_string(), path, count: 1, statuses: vec![status] })
            }
        }
    }
}

/// The content of a mutex, even if a thread died with it in hand.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
