//! The device flow, as the Codex CLI speaks it.

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use test_programs::mint::{self, random};
use test_programs::page::{escape, page as html};
use test_programs::pkce;

use crate::state::{Device, Issuer, Redirect, refuse};

#[derive(Deserialize)]
pub struct UserCodeRequest {
    client_id: String,
}

/// `POST /api/accounts/deviceauth/usercode`
pub async fn user_code(State(issuer): State<Issuer>, Json(request): Json<UserCodeRequest>) -> Response {
    if request.client_id != issuer.manner.client_id {
        return refuse(StatusCode::BAD_REQUEST, "invalid_client", "unknown client").into_response();
    }
    let (id, user_code) = (format!("deviceauth_{}", random::<12>()), mint::user_code(4, 5));
    let device = Device { user_code: user_code.clone(), polls: 0, decision: None };
    issuer.memory().devices.insert(id.clone(), device);
    Json(json!({
        "device_auth_id": id,
        "user_code": user_code,
        "interval": issuer.manner.interval.to_string(),
    }))
    .into_response()
}

#[derive(Deserialize)]
pub struct Poll {
    device_auth_id: String,
    user_code: String,
}

/// `POST /api/accounts/deviceauth/token`
pub async fn poll(State(issuer): State<Issuer>, Json(poll): Json<Poll>) -> Response {
    let decision = match issuer.memory().devices.get_mut(&poll.device_auth_id) {
        Some(device) if device.user_code == poll.user_code => {
            device.polls += 1;
            let enough = issuer.manner.auto_approve.is_some_and(|polls| device.polls >= polls);
            device.decision.or(enough.then_some(true))
        }
        _ => {
            return refuse(StatusCode::NOT_FOUND, "deviceauth_unknown", "no such device login")
                .into_response();
        }
    };
    match decision {
        None => refuse(StatusCode::FORBIDDEN, "deviceauth_authorization_pending", "not approved yet")
            .into_response(),
        Some(false) => {
            refuse(StatusCode::UNAUTHORIZED, "access_denied", "the login was denied").into_response()
        }
        Some(true) => {
            issuer.memory().devices.remove(&poll.device_auth_id);
            let verifier = issuer.mint.secret("");
            let challenge = pkce::challenge(&verifier);
            let code = issuer.code(Redirect::Device, challenge.clone());
            Json(json!({
                "authorization_code": code,
                "code_challenge": challenge,
                "code_verifier": verifier,
            }))
            .into_response()
        }
    }
}

#[derive(Deserialize)]
pub struct Hint {
    user_code: Option<String>,
}

/// `GET /codex/device`: where a person types the code.
pub async fn page(Query(hint): Query<Hint>) -> Html<String> {
    let hint = escape(&hint.user_code.unwrap_or_default());
    html(
        "Sign in on a device",
        &format!(
            r#"<form method="post"><input id="code" name="user_code" value="{hint}">
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form>"#
        ),
    )
}

#[derive(Deserialize)]
pub struct Decision {
    user_code: String,
    decision: String,
}

/// `POST /codex/device`
pub async fn decide(State(issuer): State<Issuer>, Form(form): Form<Decision>) -> (StatusCode, Html<String>) {
    match set(&issuer, Some(&form.user_code), form.decision == "allow") {
        0 => (StatusCode::NOT_FOUND, html("There is no such code", "")),
        _ => (StatusCode::OK, html("You can close this page", "")),
    }
}

/// Decides about the device logins with this user code, or about all; returns how many those were.
pub fn set(issuer: &Issuer, user_code: Option<&str>, decision: bool) -> usize {
    let mut memory = issuer.memory();
    let waiting = memory.devices.values_mut().filter(|device| device.decision.is_none());
    waiting
        .filter(|device| user_code.is_none_or(|code| device.user_code == code.trim()))
        .map(|device| device.decision = Some(decision))
        .count()
}
