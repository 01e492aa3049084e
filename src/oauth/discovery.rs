//! The endpoints of an authorization server, as it publishes them (RFC 8414, OpenID Connect Discovery 1.0).

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde::Deserialize;

use super::{Endpoint, Http, OAuthError};

/// What a server says of itself, as far as we ask. Each address was checked; none is trusted to be the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Authorization endpoint.
    pub authorization: Option<Endpoint>,
    /// Device authorization endpoint (RFC 8628 section 4).
    pub device_authorization: Option<Endpoint>,
    /// Token endpoint.
    pub token: Option<Endpoint>,
    /// Revocation endpoint (RFC 7009).
    pub revocation: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
}

/// Asks an issuer for its endpoints, at the address of RFC 8414 first. Whatever a server has there in place of them, it
/// may have them at that of OpenID Connect.
///
/// # Errors
/// [`OAuthError::Issuer`] when the document is about another issuer, and what a request can have.
pub async fn discover(http: &Http, issuer: &str) -> Result<Published, OAuthError> {
    let place: Endpoint = issuer.parse()?;
    let [first, second] = addresses(&place)?;
    let failed = match document(http, &first).await {
        Ok(document) => return read(document, issuer),
        Err(busy @ OAuthError::Unavailable { .. }) => return Err(busy),
        Err(failed) => failed,
    };
    match document(http, &second).await {
        Ok(document) => read(document, issuer),
        // That there is nothing says less than what there was.
        Err(error) if failed.is_refusal() => Err(error),
        Err(_) => Err(failed),
    }
}

async fn document(http: &Http, address: &Endpoint) -> Result<Document, OAuthError> {
    let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let answer = http.get(address, accept).await?;
    let (host, status) = (address.host(), answer.status);
    match status {
        200 => serde_json::from_slice(&answer.body).map_err(|_| OAuthError::BadReply {
            host,
            status,
            what: "it is not the description of an authorization server",
        }),
        429 | 500 | 503 => Err(OAuthError::Unavailable { host, status, retry_after: answer.retry_after }),
        _ => Err(OAuthError::BadReply { host, status, what: "it does not publish its endpoints" }),
    }
}

/// RFC 8414 section 3.1 puts its words between host and path, OpenID Connect its own behind the path.
fn addresses(issuer: &Endpoint) -> Result<[Endpoint; 2], OAuthError> {
    let path = issuer.url().path().trim_end_matches('/');
    let at = |path: &str| {
        let mut url = issuer.url().clone();
        url.set_path(path);
        url.set_query(None);
        url.as_str().parse::<Endpoint>()
    };
    Ok([
        at(&format!("/.well-known/oauth-authorization-server{path}"))?,
        at(&format!("{path}/.well-known/openid-configuration"))?,
    ])
}

fn read(document: Document, issuer: &str) -> Result<Published, OAuthError> {
    // RFC 8414 section 3.3: identical, so that one server cannot speak for another.
    if document.issuer != issuer {
        let found: String = document.issuer.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(OAuthError::Issuer { expected: issuer.to_owned(), found });
    }
    let checked = |text: Option<String>| text.map(|text| text.parse::<Endpoint>()).transpose();
    Ok(Published {
        authorization: checked(document.authorization_endpoint)?,
        device_authorization: checked(document.device_authorization_endpoint)?,
        token: checked(document.token_endpoint)?,
        revocation: checked(document.revocation_endpoint)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_standards_are_asked_at_their_addresses() {
        let asked = |issuer: &str| {
            addresses(&issuer.parse().expect("an endpoint"))
                .expect("addresses")
                .map(|address| address.to_string())
        };
        let at = [
            "https://id.example/.well-known/oauth-authorization-server",
            "https://id.example/.well-known/openid-configuration",
        ];
        assert_eq!(asked("https://id.example"), at);
        assert_eq!(asked("https://id.example/"), at);
        let below = [
            "https://id.example/.well-known/oauth-authorization-server/tenant/1",
            "https://id.example/tenant/1/.well-known/openid-configuration",
        ];
        assert_eq!(asked("https://id.example/tenant/1"), below);
    }
}
