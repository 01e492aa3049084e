//! Endpoint URLs. Secrets are sent only to an [`Endpoint`].

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// Length limit, in characters, of an invalid URL in an error.
const MAX_DISPLAYED: usize = 100;

/// An endpoint of an authorization server: https, or http on this machine's own loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

/// A text that is not the URL of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("{text:?} is not a URL: {source}")]
    NotUrl {
        /// The text, shortened and redacted.
        text: String,
        /// The parser's error.
        source: url::ParseError,
    },
    /// A URL without TLS: others on the network could read the request.
    #[error("{0:?} is not https (http is for loopback only)")]
    NotHttps(String),
    /// A URL with a user or a password.
    #[error("the URL for {0} contains a user or a password")]
    UserInfo(String),
    /// A URL with a fragment, which is never sent.
    #[error("{0:?} has a fragment (`#`)")]
    Fragment(String),
}

impl Endpoint {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host for messages, with the port unless it is the scheme's default.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether the endpoint is on this machine. Requests to it pass no proxy.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = https(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo(displayable(url.host_str().unwrap_or_default())));
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment(displayable(text)));
        }
        Ok(Self(url))
    }
}

/// Parses a URL that is https, or http on this machine's own loopback.
///
/// # Errors
/// [`EndpointError::NotUrl`], [`EndpointError::NotHttps`]
pub fn https(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|source| EndpointError::NotUrl { text: displayable(text), source })?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(EndpointError::NotHttps(displayable(text))),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Shortens an invalid URL and redacts everything up to its last `@`: it has no parsed user and password to remove.
fn displayable(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
            format!("{scheme}...@{after}")
        }
        None => text.to_owned(),
    };
    match text.char_indices().nth(MAX_DISPLAYED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a URL's host is `127.0.0.0/8`, `::1` or `localhost` (RFC 8252 section 7.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_accepts_https_and_http_on_loopback() {
        for good in [
            "https://auth.example/token",
            "http://127.0.0.1:8080/token",
            "http://127.8.9.1/token",
            "http://[::1]:1/token",
            "http://localhost/token",
            "https://auth.example:8443/token?tenant=x",
        ] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
    }

    #[test]
    fn endpoint_rejects_other_urls_without_leaking_passwords() {
        for bad in [
            "",
            "auth.example/token",
            "http://auth.example/token",
            "http://127.0.0.1.example/token",
            "http://localhost.example/token",
            "http://[::2]/token",
            "http://0.0.0.0/token",
            "ftp://127.0.0.1/token",
            "file:///etc/passwd",
            "https://auth.example/token#x",
            "https://user@auth.example/token",
            "https://user:CANARY@auth.example/token",
            "https://user:CANARY@auth.example:99999/token",
            "https://user:CAN#ARY-CANARY@auth.example/token",
            "https://user:CAN/CANARY@auth.example/token",
            "https:///user:CANARY@auth.example:99999/token",
            "https:user:CANARY@auth.example:99999/token",
            "http://user:CANARY@auth.example/token",
            "user:CANARY@auth.example/token",
        ] {
            let error = bad.parse::<Endpoint>().expect_err(bad);
            assert!(!format!("{error} {error:?}").contains("CANARY"));
        }
    }

    #[test]
    fn error_of_an_invalid_url_redacts_user_and_password() {
        let error =
            "https://me:s3cret@auth.example:99999/token".parse::<Endpoint>().expect_err("no endpoint");
        assert_eq!(
            error.to_string(),
            "\"https://...@auth.example:99999/token\" is not a URL: invalid port number"
        );
    }

    #[test]
    fn error_of_a_huge_url_is_short() {
        let huge = "x".repeat(1 << 20);
        for bad in [huge.clone(), format!("http://a.example/{huge}"), format!("https://a.example/{huge}#x")] {
            let error = bad.parse::<Endpoint>().expect_err("no endpoint").to_string();
            assert!(error.len() < 300, "{} bytes", error.len());
        }
    }

    #[test]
    fn host_includes_only_unusual_ports() {
        let host = |text: &str| text.parse::<Endpoint>().expect("an endpoint").host();
        assert_eq!(host("https://auth.example/token"), "auth.example");
        assert_eq!(host("http://[::1]:8080/token"), "[::1]:8080");
    }
}
