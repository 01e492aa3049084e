//! Device logins that wait for a person, for the page on which that person decides, or for a test in the person's place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;

use super::journal::lock;
use super::page::{escape, page};

/// All device logins that wait, by the secret that the device polls with.
#[derive(Clone)]
pub struct Devices {
    waiting: Arc<Mutex<BTreeMap<String, Device>>>,
    auto_approve: Option<u32>,
}

struct Device {
    user_code: String,
    polls: u32,
    allowed: Option<bool>,
}

/// How a login stands when the device asks.
pub enum Standing {
    Unknown,
    /// Nobody has decided yet; this is the Nth poll.
    Pending(u32),
    Denied,
    /// It is over: the next poll will find nothing.
    Approved,
}

impl Devices {
    /// With `auto_approve`, a login is approved at its Nth poll.
    pub fn new(auto_approve: Option<u32>) -> Self {
        Self { waiting: Arc::default(), auto_approve }
    }

    /// A device waits, from now on.
    pub fn start(&self, secret: &str, user_code: &str) {
        let device = Device { user_code: user_code.to_owned(), polls: 0, allowed: None };
        lock(&self.waiting).insert(secret.to_owned(), device);
    }

    /// A device asks. Where the vendor's device says its user code again, it has to be the right one.
    pub fn poll(&self, secret: &str, user_code: Option<&str>) -> Standing {
        let mut waiting = lock(&self.waiting);
        let Some(device) = waiting.get_mut(secret) else {
            return Standing::Unknown;
        };
        if user_code.is_some_and(|code| code != device.user_code) {
            return Standing::Unknown;
        }
        device.polls += 1;
        let enough = self.auto_approve.is_some_and(|polls| device.polls >= polls);
        match device.allowed.or(enough.then_some(true)) {
            None => Standing::Pending(device.polls),
            Some(false) => Standing::Denied,
            Some(true) => {
                waiting.remove(secret);
                Standing::Approved
            }
        }
    }

    /// The page at `path`, and `POST /test/approve` and `POST /test/deny`: `{"user_code": …}`, or all if there is no body.
    pub fn routes(self, path: &str) -> Router {
        Router::new()
            .route(path, get(ask).post(answer))
            .route("/test/approve", post(approve))
            .route("/test/deny", post(deny))
            .with_state(self)
    }

    /// Decides about the logins with this user code, or about all; returns how many those were.
    fn decide(&self, user_code: Option<&str>, allowed: bool) -> usize {
        let mut count = 0;
        for device in lock(&self.waiting).values_mut() {
            let meant = user_code.is_none_or(|code| device.user_code == code.trim());
            if meant && device.allowed.is_none() {
                device.allowed = Some(allowed);
                count += 1;
            }
        }
        count
    }
}

#[derive(Deserialize)]
struct Hint {
    user_code: Option<String>,
}

async fn ask(Query(hint): Query<Hint>) -> Html<String> {
    let hint = escape(&hint.user_code.unwrap_or_default());
    let form = format!(
        r#"<form method="post"><input id="code" name="user_code" value="{hint}">
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form>"#
    );
    page("Sign in on a device", &form)
}

#[derive(Deserialize)]
struct Decision {
    user_code: String,
    decision: String,
}

async fn answer(State(devices): State<Devices>, Form(form): Form<Decision>) -> (StatusCode, Html<String>) {
    match devices.decide(Some(&form.user_code), form.decision == "allow") {
        0 => (StatusCode::NOT_FOUND, page("There is no such code", "")),
        _ => (StatusCode::OK, page("You can close this page", "")),
    }
}

async fn approve(State(devices): State<Devices>, body: Bytes) -> StatusCode {
    told(&devices, &body, true)
}

async fn deny(State(devices): State<Devices>, body: Bytes) -> StatusCode {
    told(&devices, &body, false)
}

fn told(devices: &Devices, body: &[u8], allowed: bool) -> StatusCode {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    match devices.decide(request["user_code"].as_str(), allowed) {
        0 => StatusCode::NOT_FOUND,
        _ => StatusCode::NO_CONTENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_decided_once_and_by_its_own_code() {
        let devices = Devices::new(None);
        devices.start("secret", "ABCD-EFGH");
        assert!(matches!(devices.poll("secret", None), Standing::Pending(1)));
        assert_eq!(devices.decide(Some("OTHER"), true), 0);
        assert_eq!(devices.decide(Some("ABCD-EFGH"), true), 1);
        assert_eq!(devices.decide(None, false), 0);
        assert!(matches!(devices.poll("secret", Some("OTHER")), Standing::Unknown));
        assert!(matches!(devices.poll("secret", Some("ABCD-EFGH")), Standing::Approved));
        assert!(matches!(devices.poll("secret", None), Standing::Unknown));
    }

    #[test]
    fn a_login_can_approve_itself() {
        let devices = Devices::new(Some(2));
        devices.start("secret", "ABCD-EFGH");
        assert!(matches!(devices.poll("secret", None), Standing::Pending(1)));
        assert!(matches!(devices.poll("secret", None), Standing::Approved));
    }
}
