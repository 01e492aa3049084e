//! The browser flow: authorization code with PKCE, and a redirect to the CLI's own loopback.

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use test_support::stand_in::page::{escape, page};
use url::{Host, Url};

use crate::state::{Issuer, Redirect};

#[derive(Deserialize)]
pub struct Authorize {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    code_challenge: String,
    code_challenge_method: String,
    state: String,
    scope: String,
}

/// `GET /oauth/authorize`: asks the person, or does not.
pub async fn ask(State(issuer): State<Issuer>, Query(request): Query<Authorize>) -> Response {
    if let Some(why) = objection(&issuer, &request) {
        return (StatusCode::BAD_REQUEST, page(why, "")).into_response();
    }
    if issuer.manner.auto_allow {
        return allow(&issuer, request);
    }
    let scope = escape(&request.scope);
    let form = format!(
        r#"<p>It asks for: {scope}</p><form method="post">
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form>"#
    );
    page("Allow this program to sign in?", &form).into_response()
}

#[derive(Deserialize)]
pub struct Decision {
    decision: String,
}

/// `POST /oauth/authorize`: a button was pressed. The form has no action, so the query is the one of the page.
pub async fn decide(
    State(issuer): State<Issuer>,
    Query(request): Query<Authorize>,
    Form(form): Form<Decision>,
) -> Response {
    match objection(&issuer, &request) {
        Some(why) => (StatusCode::BAD_REQUEST, page(why, "")).into_response(),
        None if form.decision == "allow" => allow(&issuer, request),
        None => {
            let denied = [("error", "access_denied"), ("error_description", "the person said no")];
            redirect(&request.redirect_uri, &denied, &request.state)
        }
    }
}

fn objection(issuer: &Issuer, request: &Authorize) -> Option<&'static str> {
    if request.client_id != issuer.manner.client_id {
        Some("client_id is not known here")
    } else if request.response_type != "code" {
        Some("response_type must be code")
    } else if !Url::parse(&request.redirect_uri).is_ok_and(|url| is_loopback(&url)) {
        Some("redirect_uri must be http on loopback")
    } else if request.code_challenge_method != "S256" || request.code_challenge.len() != 43 {
        Some("code_challenge must be there, by S256")
    } else if request.state.is_empty() {
        Some("state must not be empty")
    } else {
        None
    }
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn allow(issuer: &Issuer, request: Authorize) -> Response {
    let code = issuer.code(Redirect::To(request.redirect_uri.clone()), request.code_challenge);
    redirect(&request.redirect_uri, &[("code", &code), ("scope", &request.scope)], &request.state)
}

fn redirect(to: &str, answer: &[(&str, &str)], state: &str) -> Response {
    match Url::parse(to) {
        Ok(mut to) => {
            to.query_pairs_mut().extend_pairs(answer).append_pair("state", state);
            (StatusCode::FOUND, [(LOCATION, to.to_string())]).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_redirected_to() {
        let loopback = |url: &str| Url::parse(url).is_ok_and(|url| is_loopback(&url));
        assert!(loopback("http://localhost:1455/auth/callback"));
        assert!(loopback("http://127.0.0.1:1/"));
        assert!(loopback("http://[::1]:1/"));
        assert!(!loopback("http://localhost.example.org/"));
        assert!(!loopback("https://localhost/"));
    }
}
