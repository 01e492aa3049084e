//! What a test asks the issuer.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::state::Issuer;

/// `GET /test/issued`: every set of tokens, oldest first, each as `{grant, family, account, tokens}`.
pub async fn issued(State(issuer): State<Issuer>) -> Json<Vec<Value>> {
    Json(issuer.memory().issued.clone())
}

/// `GET /test/revoked`: the families whose tokens are worth nothing any more.
pub async fn revoked(State(issuer): State<Issuer>) -> Json<BTreeSet<String>> {
    Json(issuer.memory().revoked.clone())
}
