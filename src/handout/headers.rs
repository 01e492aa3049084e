//! The headers that authorize a request to a provider's API.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::Url;

use crate::{
    config::{ReferenceError, env_value},
    credential::{Address, Credential, Metadata, Secret},
    provider::{
        Descriptor,
        descriptor::{Api, ApiAuth},
        lint::{header_value, https},
    },
    resolve::Resolved,
};

/// A header of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Secret,
}

/// An error of making headers. It never contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum HeadersError {
    /// The descriptor has no `api`.
    #[error("the descriptor of {0} has no `api`, which says how requests are authorized")]
    NoApi(String),
    /// The credential has fields, which no header holds.
    #[error("{0} has fields, which no header can hold")]
    Fields(String),
    /// The credential belongs to another host.
    #[error("the credential of {what} is for {belongs}, and is not sent to {host}")]
    OtherHost {
        /// The credential.
        what: String,
        /// The host that it belongs to.
        belongs: String,
        /// The host of the request.
        host: String,
    },
    /// The request is not encrypted.
    #[error("the credential of {0} is sent over https only (http is for loopback)")]
    NotHttps(String),
    /// The credential has characters that are invalid in a header.
    #[error("the credential of {0} has characters that are invalid in a header")]
    NotAHeader(String),
    /// A variable that the descriptor refers to cannot be read.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

/// The target of a request, with all that is needed except the credential, so that it can be refused before the credential
/// is refreshed.
#[derive(Debug)]
pub struct Target<'a> {
    api: &'a Api,
    base: Url,
    url: Url,
    fixed: Vec<Header>,
}

impl<'a> Target<'a> {
    /// The target of a request to `url`, or to the provider's own API.
    ///
    /// # Errors
    /// [`HeadersError::NoApi`], [`HeadersError::Reference`]
    pub fn of(provider: &'a Descriptor, url: Option<&Url>) -> Result<Self, HeadersError> {
        let no_api = || HeadersError::NoApi(provider.name.clone());
        let api = provider.api.as_ref().ok_or_else(no_api)?;
        let field = format!("api.base_url of provider {}", provider.name);
        let base = env_value::resolve_checked(&field, &api.base_url, https)?;
        let base: Url = base.parse().map_err(|_| no_api())?;
        let mut fixed = Vec::new();
        for (name, value) in &api.headers {
            let field = format!("api.headers.{name} of provider {}", provider.name);
            let value = env_value::resolve_checked(&field, value, header_value)?;
            fixed.push(Header { name: name.clone(), value: value.into() });
        }
        Ok(Self { api, url: url.unwrap_or(&base).clone(), base, fixed })
    }

    /// Checks that the credential at an address may be sent there. A credential that belongs to a host is sent to that host
    /// and those below it, at its port, and to no other. A credential without a host is sent to the origin of
    /// `api.base_url`.
    ///
    /// # Errors
    /// [`HeadersError::NotHttps`], [`HeadersError::OtherHost`]
    pub fn allows(&self, address: &Address, metadata: &Metadata) -> Result<(), HeadersError> {
        let what = address.to_string();
        match https(self.url.as_str()) {
            Ok(()) => check_host(&what, metadata, &self.base, &self.url),
            Err(_) => Err(HeadersError::NotHttps(what)),
        }
    }

    /// The headers, if the credential may be sent there: the fixed ones of the descriptor (`api.headers`), and the one that
    /// authorizes. An API key goes as `api.auth` says; tokens are bearer tokens (RFC 6750 section 2.1); user and password
    /// are basic (RFC 7617 section 2).
    ///
    /// # Errors
    /// As [`Target::allows`]; [`HeadersError::Fields`], [`HeadersError::NotAHeader`]
    pub fn headers(self, resolved: &Resolved) -> Result<Vec<Header>, HeadersError> {
        self.allows(&resolved.address, &resolved.metadata)?;
        let what = resolved.address.to_string();
        let Some((name, value)) = authorization(self.api, &resolved.credential) else {
            return Err(HeadersError::Fields(what));
        };
        if !value.expose().chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err(HeadersError::NotAHeader(what));
        }
        let mut headers = vec![Header { name: name.to_owned(), value }];
        headers.extend(self.fixed);
        Ok(headers)
    }
}

fn authorization(api: &Api, credential: &Credential) -> Option<(&'static str, Secret)> {
    let bearer = |token: &Secret| ("Authorization", Secret::new(format!("Bearer {}", token.expose())));
    Some(match (credential, api.auth) {
        (Credential::ApiKey { key }, ApiAuth::Bearer) => bearer(key),
        (Credential::ApiKey { key }, ApiAuth::XApiKey) => ("x-api-key", key.clone()),
        (Credential::ApiKey { key }, ApiAuth::PrivateToken) => ("PRIVATE-TOKEN", key.clone()),
        (Credential::OAuth(oauth), _) => bearer(&oauth.access_token),
        (Credential::Token { token }, _) => bearer(token),
        (Credential::Basic { username, password }, _) => {
            let pair = zeroize::Zeroizing::new(format!("{username}:{}", password.expose()));
            let encoded = zeroize::Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            ("Authorization", Secret::new(format!("Basic {}", *encoded)))
        }
        (Credential::Fields(_), _) => return None,
    })
}

fn check_host(what: &str, metadata: &Metadata, base: &Url, url: &Url) -> Result<(), HeadersError> {
    let refuse =
        |belongs: String| HeadersError::OtherHost { what: what.to_owned(), belongs, host: authority(url) };
    let Some(bound) = &metadata.host else {
        return if url.origin() == base.origin() { Ok(()) } else { Err(refuse(authority(base))) };
    };
    let host = url.host_str().unwrap_or_default();
    let is_it = host_and_port(bound, url.scheme()).is_some_and(|(bound, port)| {
        let is_below = || host.strip_suffix(&bound).is_some_and(|above| above.ends_with('.'));
        url.port_or_known_default() == port && (host == bound || is_below())
    });
    if is_it { Ok(()) } else { Err(refuse(bound.clone())) }
}

/// The host and port of a vendor's notation of a host: `github.com`, `ghe.example.com:8443` or `https://github.com`. The
/// default port is the scheme's.
fn host_and_port(text: &str, scheme: &str) -> Option<(String, Option<u16>)> {
    let url = if text.contains("://") { text.to_owned() } else { format!("{scheme}://{text}") };
    let url = Url::parse(&url).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()))
}

/// The host, and the port if it is not the scheme's default.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        credential::OAuth,
        provider::{Provider, Registry},
        resolve::Source,
    };

    fn provider(name: &str) -> Provider {
        Registry::bundled().get(name).expect("known").clone()
    }

    fn resolved(provider: &str, credential: Credential, host: Option<&str>) -> Resolved {
        Resolved {
            address: Address::default_profile(provider.parse().expect("a name")),
            credential,
            metadata: Metadata { host: host.map(str::to_owned), ..Metadata::default() },
            source: Source::Stored,
            fields: Vec::new(),
            skipped: Vec::new(),
        }
    }

    fn headers(
        provider: &Descriptor,
        resolved: &Resolved,
        url: Option<&Url>,
    ) -> Result<Vec<Header>, HeadersError> {
        Target::of(provider, url)?.headers(resolved)
    }

    fn shown(name: &str, credential: Credential) -> Vec<String> {
        let headers = headers(&provider(name), &resolved(name, credential, None), None).expect("headers");
        headers.iter().map(|header| format!("{}: {}", header.name, header.value.expose())).collect()
    }

    fn oauth(token: &str) -> Credential {
        Credential::OAuth(OAuth {
            access_token: token.into(),
            refresh_token: None,
            id_token: None,
            extra: Default::default(),
        })
    }

    #[test]
    fn key_is_sent_as_the_descriptor_says_and_token_as_bearer() {
        let version = "anthropic-version: 2023-06-01".to_owned();
        assert_eq!(shown("openai", Credential::api_key("k")), ["Authorization: Bearer k"]);
        assert_eq!(
            shown("anthropic", Credential::api_key("k")),
            ["x-api-key: k".to_owned(), version.clone()]
        );
        assert_eq!(shown("anthropic", oauth("t")), ["Authorization: Bearer t".to_owned(), version]);
        assert_eq!(shown("glab", Credential::api_key("k")), ["PRIVATE-TOKEN: k"]);
        assert_eq!(shown("glab", Credential::Token { token: "t".into() }), ["Authorization: Bearer t"]);
        // The example of RFC 7617 section 2.
        let basic = Credential::Basic { username: "Aladdin".into(), password: "open sesame".into() };
        assert_eq!(shown("sonar", basic), ["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    }

    #[test]
    fn credential_is_sent_only_to_its_host() {
        let goes = |bound: Option<&str>, url: &str| {
            let resolved = resolved("gh", Credential::Token { token: "CANARY".into() }, bound);
            match headers(&provider("gh"), &resolved, Some(&url.parse().expect("a URL"))) {
                Ok(_) => true,
                Err(error) => {
                    assert!(!format!("{error} {error:?}").contains("CANARY"));
                    false
                }
            }
        };
        assert!(goes(None, "https://api.github.com/user"));
        assert!(!goes(None, "https://api.github.com:444/user"));
        assert!(!goes(None, "https://github.com/"));
        for bound in ["github.com", "https://github.com", "github.com:443"] {
            assert!(goes(Some(bound), "https://api.github.com/user"), "{bound}");
            assert!(goes(Some(bound), "https://github.com/"), "{bound}");
            assert!(!goes(Some(bound), "https://evilgithub.com/"), "{bound}");
            assert!(!goes(Some(bound), "https://github.com.evil.example/"), "{bound}");
            assert!(!goes(Some(bound), "http://api.github.com/user"), "{bound}");
            assert!(!goes(Some(bound), "https://github.com:8443/"), "{bound}");
        }
        for bound in ["ghe.example.com:8443", "https://ghe.example.com:8443/"] {
            assert!(goes(Some(bound), "https://ghe.example.com:8443/api/v3"), "{bound}");
            assert!(goes(Some(bound), "https://api.ghe.example.com:8443/"), "{bound}");
            assert!(!goes(Some(bound), "https://ghe.example.com/api/v3"), "{bound}");
            assert!(!goes(Some(bound), "https://ghe.example.com:9443/api/v3"), "{bound}");
        }
        assert!(
            goes(Some("localhost"), "http://localhost/")
                && !goes(Some("localhost"), "http://localhost:8080/")
        );
        assert!(goes(Some("localhost:8080"), "http://localhost:8080/"));
        // A credential of another host is not sent to the provider's usual host.
        assert!(!goes(Some("ghe.example.com"), "https://api.github.com/user"));
        assert!(goes(Some("ghe.example.com"), "https://ghe.example.com/api/v3"));
        let own = resolved("gh", Credential::Token { token: "t".into() }, Some("ghe.example.com"));
        assert!(matches!(headers(&provider("gh"), &own, None), Err(HeadersError::OtherHost { .. })));
    }

    #[test]
    fn credential_that_fits_no_header_is_refused() {
        let broken = resolved("openai", Credential::api_key("CANARY\r\nHost: evil"), None);
        let error = headers(&provider("openai"), &broken, None).expect_err("refused");
        assert!(matches!(error, HeadersError::NotAHeader(_)), "{error}");
        let fields = Credential::Fields([("bot_token".to_owned(), "t".into())].into());
        let error =
            headers(&provider("openai"), &resolved("openai", fields, None), None).expect_err("refused");
        assert!(matches!(error, HeadersError::Fields(_)), "{error}");
        let telegram = resolved("telegram", Credential::api_key("k"), None);
        let error = headers(&provider("telegram"), &telegram, None).expect_err("refused");
        assert!(matches!(error, HeadersError::NoApi(_)), "{error}");
    }
}
