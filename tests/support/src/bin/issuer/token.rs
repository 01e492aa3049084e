//! The token endpoint: codes, refresh, and the exchange for an API key; and revocation.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use test_support::stand_in::mint::random;
use test_support::stand_in::pkce;

use crate::state::{Issuer, Redirect, Refusal, refuse};

/// A request's fields, whether it came as a form or as JSON.
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        if kind.starts_with("application/json") {
            return serde_json::from_slice(body).ok().map(Self);
        }
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        is_form.then(|| Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// `POST /oauth/token`
pub async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(fields) = Fields::read(&headers, &body) else {
        return invalid("neither a form nor an object of strings").into_response();
    };
    let answer = grant(&issuer, &fields);
    tokio::time::sleep(Duration::from_millis(issuer.manner.token_delay)).await;
    answer.map(Json).into_response()
}

fn grant(issuer: &Issuer, fields: &Fields) -> Result<Value, Refusal> {
    if fields.get("client_id") != issuer.manner.client_id {
        return Err(refuse(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client"));
    }
    match fields.get("grant_type") {
        "authorization_code" => authorization_code(issuer, fields),
        "refresh_token" => refresh(issuer, fields),
        "urn:ietf:params:oauth:grant-type:token-exchange" => api_key(issuer, fields),
        _ => Err(refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", "no such grant")),
    }
}

fn authorization_code(issuer: &Issuer, fields: &Fields) -> Result<Value, Refusal> {
    // Whatever is wrong with the request, the code is used up.
    let Some(code) = issuer.memory().codes.remove(fields.get("code")) else {
        return Err(invalid("the code is unknown or was used before"));
    };
    let redirect_uri = fields.get("redirect_uri");
    let redirect_matches = match code.redirect_uri {
        Redirect::To(address) => address == redirect_uri,
        Redirect::Device => redirect_uri.ends_with("/deviceauth/callback"),
    };
    if !redirect_matches {
        return Err(invalid("redirect_uri is not the one that the code was sent to"));
    }
    if !pkce::verify(fields.get("code_verifier"), &code.challenge) {
        return Err(invalid("code_verifier does not fit"));
    }
    Ok(issuer.tokens("authorization_code", &random::<6>()))
}

fn refresh(issuer: &Issuer, fields: &Fields) -> Result<Value, Refusal> {
    let family = {
        let mut memory = issuer.memory();
        let Some(token) = memory.refresh.get_mut(fields.get("refresh_token")) else {
            return Err(gone("refresh_token_invalidated", "the refresh token is unknown"));
        };
        let (family, spent) = (token.family.clone(), std::mem::replace(&mut token.spent, true));
        if memory.revoked.contains(&family) {
            return Err(gone("refresh_token_invalidated", "the login was revoked"));
        }
        if spent {
            // Somebody has a copy: nobody keeps the login.
            memory.revoked.insert(family);
            return Err(gone("refresh_token_reused", "the refresh token was used before"));
        }
        family
    };
    Ok(issuer.tokens("refresh_token", &family))
}

fn api_key(issuer: &Issuer, fields: &Fields) -> Result<Value, Refusal> {
    let id_token = fields.get("subject_token");
    let known = issuer.memory().issued.iter().any(|issued| issued["tokens"]["id_token"] == id_token);
    if !known || fields.get("requested_token") != "openai-api-key" {
        return Err(invalid("not an id token of ours, or not for an API key"));
    }
    if !issuer.manner.api_key {
        // What an account without an organization of its own is told.
        return Err(refuse(StatusCode::UNAUTHORIZED, "invalid_subject_token", "no organization"));
    }
    let answer = json!({"access_token": issuer.mint.secret("sk-proj-")});
    let issued = json!({"grant": "token-exchange", "account": issuer.manner.account, "tokens": answer});
    issuer.memory().issued.push(issued);
    Ok(answer)
}

/// `POST /oauth/revoke`: a refresh token takes its whole family with it; about any other there is nothing to say.
pub async fn revoke(State(issuer): State<Issuer>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(fields) = Fields::read(&headers, &body) else {
        return invalid("neither a form nor an object of strings").into_response();
    };
    let mut memory = issuer.memory();
    if let Some(token) = memory.refresh.get(fields.get("token")) {
        let family = token.family.clone();
        memory.revoked.insert(family);
    }
    StatusCode::OK.into_response()
}

fn invalid(message: &'static str) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, "invalid_grant", message)
}

fn gone(code: &'static str, message: &'static str) -> Refusal {
    refuse(StatusCode::UNAUTHORIZED, code, message)
}
