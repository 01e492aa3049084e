//! The little of GitHub's API that `gh auth` uses. Only tokens of this host are good here.

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use test_support::stand_in::journal::lock;

use crate::Host;

/// `GET /api/v3/`: gh looks at its headers for the scopes of a token.
pub async fn root(State(host): State<Host>, headers: HeaderMap) -> Response {
    authorized(&host, &headers, |_| json!({"current_user_url": "/user"}))
}

/// `GET /api/v3/user`
pub async fn user(State(host): State<Host>, headers: HeaderMap) -> Response {
    authorized(&host, &headers, |login| json!({"login": login, "id": 1, "type": "User"}))
}

/// `POST /api/graphql`: whatever is asked, the answer is who asks.
pub async fn graphql(State(host): State<Host>, headers: HeaderMap) -> Response {
    authorized(&host, &headers, |login| json!({"data": {"viewer": {"login": login}}}))
}

fn authorized(host: &Host, headers: &HeaderMap, answer: impl FnOnce(&str) -> Value) -> Response {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.split_once(' ').map_or("", |(_, token)| token.trim());
    let issued = lock(&host.issued);
    match issued.iter().find(|issued| issued["access_token"] == token) {
        Some(issued) => {
            let scopes = issued["scope"].as_str().unwrap_or_default().replace(',', ", ");
            ([("x-oauth-scopes", scopes)], Json(answer(&host.manner.login))).into_response()
        }
        None => (StatusCode::UNAUTHORIZED, Json(json!({"message": "Bad credentials"}))).into_response(),
    }
}
