//! The address of an endpoint: nothing secret is ever sent to another kind of address.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// No more of what is not an endpoint is repeated.
const SHOWN: usize = 100;

/// An endpoint of an authorization server: https, or http on this machine's own loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is not the address of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("{text:?} is not a URL: {source}")]
    NotUrl {
        /// What was given.
        text: String,
        /// Why.
        source: url::ParseError,
    },
    /// Anybody on the way could read what is sent.
    #[error("{0:?} is not https (http is for loopback only)")]
    NotHttps(String),
    /// A user or a password stands in it.
    #[error("a URL for {0} has a user or a password in it")]
    UserInfo(String),
    /// It has a fragment, which is never sent.
    #[error("{0:?} has a fragment (`#`)")]
    Fragment(String),
}

impl Endpoint {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host, and the port if it is not the usual one, for messages.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// It is on this machine: what is sent there passes no proxy.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = https(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo(repeated(url.host_str().unwrap_or_default())));
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment(repeated(text)));
        }
        Ok(Self(url))
    }
}

/// A URL that nobody on the way reads along with: https, or http on this machine's own loopback.
///
/// # Errors
/// [`EndpointError::NotUrl`], [`EndpointError::NotHttps`]
pub fn https(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|source| EndpointError::NotUrl { text: repeated(text), source })?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(EndpointError::NotHttps(repeated(text))),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// What is no endpoint, cut, and without a user and a password: where they end is not known of what is no URL.
fn repeated(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
            format!("{scheme}...@{after}")
        }
        None => text.to_owned(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `127.0.0.0/8`, `::1` and `localhost` (RFC 8252 section 7.3).
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
    fn https_anywhere_and_http_on_the_loopback() {
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
    fn everything_else_is_refused() {
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
    fn what_is_no_endpoint_is_named_without_its_password() {
        let error =
            "https://me:s3cret@auth.example:99999/token".parse::<Endpoint>().expect_err("no endpoint");
        assert_eq!(
            error.to_string(),
            "\"https://...@auth.example:99999/token\" is not a URL: invalid port number"
        );
    }

    #[test]
    fn a_megabyte_is_not_repeated() {
        let much = "x".repeat(1 << 20);
        for bad in [much.clone(), format!("http://a.example/{much}"), format!("https://a.example/{much}#x")] {
            let error = bad.parse::<Endpoint>().expect_err("no endpoint").to_string();
            assert!(error.len() < 300, "{} bytes", error.len());
        }
    }

    #[test]
    fn the_host_is_named_with_an_unusual_port() {
        let host = |text: &str| text.parse::<Endpoint>().expect("an endpoint").host();
        assert_eq!(host("https://auth.example/token"), "auth.example");
        assert_eq!(host("http://[::1]:8080/token"), "[::1]:8080");
    }
}
