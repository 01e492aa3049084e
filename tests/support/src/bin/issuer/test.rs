//! Questions of a test to the issuer.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use test_support::stand_in::mint::random;

use crate::state::Issuer;

/// `GET /test/issued`: every set of tokens, oldest first, each as `{grant, family, account, tokens}`.
pub async fn issued(State(issuer): State<Issuer>) -> Json<Vec<Value>> {
    Json(issuer.memory().issued.clone())
}

/// `GET /test/revoked`: the families whose tokens are worth nothing any more.
pub async fn revoked(State(issuer): State<Issuer>) -> Json<BTreeSet<String>> {
    Json(issuer.memory().revoked.clone())
}

/// `POST /test/login`: the tokens of a new login, as if somebody had just gone through one.
pub async fn login(State(issuer): State<Issuer>) -> Json<Value> {
    Json(issuer.tokens("test", &random::<6>()))
}
