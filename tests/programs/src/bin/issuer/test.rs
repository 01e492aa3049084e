//! What a test asks and tells the issuer.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use crate::device;
use crate::state::Issuer;

/// `GET /test/issued`: every set of tokens, oldest first, each as `{grant, family, account, tokens}`.
pub async fn issued(State(issuer): State<Issuer>) -> Json<Vec<Value>> {
    Json(issuer.memory().issued.clone())
}

/// `GET /test/revoked`: the families whose tokens are worth nothing any more.
pub async fn revoked(State(issuer): State<Issuer>) -> Json<BTreeSet<String>> {
    Json(issuer.memory().revoked.clone())
}

/// `POST /test/approve`
pub async fn approve(State(issuer): State<Issuer>, body: Bytes) -> StatusCode {
    decide(&issuer, &body, true)
}

/// `POST /test/deny`
pub async fn deny(State(issuer): State<Issuer>, body: Bytes) -> StatusCode {
    decide(&issuer, &body, false)
}

fn decide(issuer: &Issuer, body: &[u8], decision: bool) -> StatusCode {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    match device::set(issuer, request["user_code"].as_str(), decision) {
        0 => StatusCode::NOT_FOUND,
        _ => StatusCode::NO_CONTENT,
    }
}
