//! The device flow, as the Codex CLI speaks it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use test_support::stand_in::device::Standing;
use test_support::stand_in::mint::{self, random};
use test_support::stand_in::pkce;

use crate::state::{Issuer, Redirect, Refusal, refuse};

#[derive(Deserialize)]
pub struct UserCodeRequest {
    client_id: String,
}

/// `POST /api/accounts/deviceauth/usercode`
pub async fn user_code(
    State(issuer): State<Issuer>,
    Json(request): Json<UserCodeRequest>,
) -> Result<Json<Value>, Refusal> {
    if request.client_id != issuer.manner.client_id {
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_client", "unknown client"));
    }
    let (id, user_code) = (format!("deviceauth_{}", random::<12>()), mint::user_code(4, 5));
    issuer.devices.start(&id, &user_code);
    let interval = issuer.manner.interval.to_string();
    Ok(Json(json!({"device_auth_id": id, "user_code": user_code, "interval": interval})))
}

#[derive(Deserialize)]
pub struct Poll {
    device_auth_id: String,
    user_code: String,
}

/// `POST /api/accounts/deviceauth/token`
pub async fn poll(State(issuer): State<Issuer>, Json(poll): Json<Poll>) -> Result<Json<Value>, Refusal> {
    match issuer.devices.poll(&poll.device_auth_id, Some(&poll.user_code)) {
        Standing::Unknown => Err(refuse(StatusCode::NOT_FOUND, "deviceauth_unknown", "no such device login")),
        Standing::Pending(_) => {
            Err(refuse(StatusCode::FORBIDDEN, "deviceauth_authorization_pending", "not approved yet"))
        }
        Standing::Denied => Err(refuse(StatusCode::UNAUTHORIZED, "access_denied", "the login was denied")),
        Standing::Approved => {
            let verifier = issuer.mint.secret("");
            let challenge = pkce::challenge(&verifier);
            Ok(Json(json!({
                "authorization_code": issuer.code(Redirect::Device, challenge.clone()),
                "code_challenge": challenge,
                "code_verifier": verifier,
            })))
        }
    }
}
