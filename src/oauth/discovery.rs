//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0).

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde::Deserialize;

use super::{Endpoint, Http, OAuthError};

/// The endpoints in a server's metadata. Each is a valid address; none is known to be the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerMetadata {
    /// The authorization endpoint.
    pub authorization: Option<Endpoint>,
    /// The device authorization endpoint (RFC 8628 section 4).
    pub device_authorization: Option<Endpoint>,
    /// The token endpoint.
    pub token: Option<Endpoint>,
    /// The revocation endpoint (RFC 7009).
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

/// Gets an issuer's metadata from the address of RFC 8414, or else from that of OpenID Connect, whatever the server
/// returned for the first.
///
/// # Errors
/// [`OAuthError::Issuer`] when the metadata is of another issuer, and the errors of a request.
pub async fn discover(http: &Http, issuer: &str) -> Result<ServerMetadata, OAuthError> {
    let [first, second] = addresses(&issuer.parse()?)?;
    let failed = match document(http, &first).await {
        Ok(document) => return read(document, issuer),
        Err(busy @ OAuthError::Unavailable { .. }) => return Err(busy),
        Err(failed) => failed,
    };
    match document(http, &second).await {
        Ok(document) => read(document, issuer),
        // "Not found" says less than the first error.
        Err(error) if failed.is_refusal() => Err(error),
        Err(_) => Err(failed),
    }
}

async fn document(http: &Http, address: &Endpoint) -> Result<Document, OAuthError> {
    let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let response = http.get(address, accept).await?;
    let (host, status) = (address.host(), response.status);
    match status {
        200 => serde_json::from_slice(&response.body).map_err(|_| OAuthError::BadReply {
            host,
            status,
            what: "it is not authorization server metadata",
        }),
        429 | 500 | 503 => Err(OAuthError::Unavailable { host, status, retry_after: response.retry_after }),
        _ => Err(OAuthError::BadReply { host, status, what: "it does not publish its endpoints" }),
    }
}

/// Returns the well-known addresses of an issuer: RFC 8414 section 3.1 inserts its segments before the path, OpenID
/// Connect appends its own.
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

fn read(document: Document, issuer: &str) -> Result<ServerMetadata, OAuthError> {
    // RFC 8414 section 3.3: identical, so that one server cannot speak for another.
    if document.issuer != issuer {
        let found: String = document.issuer.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(OAuthError::Issuer { expected: issuer.to_owned(), found });
    }
    let checked = |text: Option<String>| text.map(|text| text.parse::<Endpoint>()).transpose();
    Ok(ServerMetadata {
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
    fn well_known_addresses_of_an_issuer_follow_both_standards() {
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
