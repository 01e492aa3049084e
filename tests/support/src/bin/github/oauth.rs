//! GitHub's device flow. Its errors come with status 200, and its answers are forms unless JSON is asked for.

use axum::Json;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use test_support::stand_in::device::Standing;
use test_support::stand_in::journal::lock;
use test_support::stand_in::mint;

use crate::Host;

#[derive(Deserialize)]
pub struct DeviceCodeRequest {
    client_id: String,
    #[serde(default)]
    scope: String,
}

/// `POST /login/device/code`
pub async fn device_code(
    State(host): State<Host>,
    headers: HeaderMap,
    Form(request): Form<DeviceCodeRequest>,
) -> Response {
    if request.client_id.is_empty() {
        return answer(&headers, &json!({"error": "unauthorized_client"}));
    }
    let (device_code, user_code) = (host.mint.secret(""), mint::user_code(4, 4));
    host.devices.start(&device_code, &user_code);
    lock(&host.asked).push((device_code.clone(), request.scope));
    let name = headers.get(HOST).and_then(|name| name.to_str().ok()).unwrap_or("localhost");
    let fields = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": format!("https://{name}/login/device"),
        "expires_in": 899,
        "interval": host.manner.interval,
    });
    answer(&headers, &fields)
}

#[derive(Deserialize)]
pub struct TokenRequest {
    client_id: String,
    device_code: String,
    grant_type: String,
}

/// `POST /login/oauth/access_token`
pub async fn access_token(
    State(host): State<Host>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    let error = |error: &str| answer(&headers, &json!({"error": error}));
    if request.client_id.is_empty() {
        return error("incorrect_client_credentials");
    }
    if request.grant_type != "urn:ietf:params:oauth:grant-type:device_code" {
        return error("unsupported_grant_type");
    }
    match host.devices.poll(&request.device_code, None) {
        Standing::Unknown => error("incorrect_device_code"),
        Standing::Denied => error("access_denied"),
        Standing::Pending(1) if host.manner.slow_down => {
            let interval = host.manner.interval + 5;
            answer(&headers, &json!({"error": "slow_down", "interval": interval}))
        }
        Standing::Pending(_) => error("authorization_pending"),
        Standing::Approved => {
            let token = issue(&host, &request.device_code);
            answer(&headers, &token)
        }
    }
}

fn issue(host: &Host, device_code: &str) -> Value {
    let asked = lock(&host.asked)
        .iter()
        .find(|(code, _)| code == device_code)
        .map(|(_, scope)| scope.split([' ', ',']).collect::<Vec<_>>().join(","));
    let scope = host.manner.scopes.clone().or(asked).unwrap_or_default();
    let token = json!({
        "access_token": host.mint.secret("gho_"),
        "token_type": "bearer",
        "scope": scope,
    });
    lock(&host.issued).push(token.clone());
    token
}

fn answer(headers: &HeaderMap, fields: &Value) -> Response {
    let wants_json = headers.get_all(ACCEPT).iter().any(|kind| {
        let kind = kind.to_str().unwrap_or_default();
        kind.contains("application/json")
    });
    if wants_json {
        return Json(fields).into_response();
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.append_pair(name, &text);
    }
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    ([(CONTENT_TYPE, kind)], form.finish()).into_response()
}
