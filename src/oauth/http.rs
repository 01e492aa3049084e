//! One HTTP exchange with an endpoint: bounded in time and size, never redirected, never repeated.

use std::{
    error::Error as _,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use hyper::body::Bytes;
use reqwest::{
    Client, Response,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::{Endpoint, OAuthError, error::Cause};
use crate::net::tls_roots;

/// No answer of a token endpoint comes near this.
const MAX_REPLY: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(10);
/// All of an exchange.
pub(crate) const TOTAL: Duration = Duration::from_secs(30);
/// A server that wants more time than this is asked before all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Makes requests. Redirects are not followed, connecting takes at most 10 seconds and all of it 30, an answer has at most
/// 1 MiB. The system's proxies are used, but never on the way to this machine itself.
#[derive(Clone, Debug)]
pub struct Http {
    far: Client,
    near: Client,
    unread: Vec<String>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub status: u16,
    /// As in [`OAuthError::Unavailable`].
    pub retry_after: Option<Duration>,
    pub body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// Trusts the certificates in `ca_bundle` (PEM), or in the file that `SSL_CERT_FILE`, `CURL_CA_BUNDLE` or
    /// `REQUESTS_CA_BUNDLE` names, or the system's.
    ///
    /// # Errors
    /// [`OAuthError::CaBundle`] when `ca_bundle` cannot be used, [`OAuthError::Setup`]. What is wrong with a variable is in
    /// [`Http::ignored_config`].
    pub fn new(ca_bundle: Option<&Path>) -> Result<Self, OAuthError> {
        Self::limited(ca_bundle, TOTAL)
    }

    pub(crate) fn limited(ca_bundle: Option<&Path>, total: Duration) -> Result<Self, OAuthError> {
        let failed =
            |source| OAuthError::CaBundle { path: ca_bundle.map(Path::to_owned).unwrap_or_default(), source };
        let (bundle, unread) = tls_roots::load(ca_bundle).map_err(failed)?;
        let roots = bundle.map_or_else(of_the_system, |bundle| bundle.roots);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OAuthError::Setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let common = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .user_agent(concat!("authenticate/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                // A connection that was kept could break just when it is used again: was the request sent or not?
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT)
                .timeout(total)
        };
        let loopback = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| OAuthError::Setup(error.to_string()))
        };
        Ok(Self {
            far: built(common())?,
            near: built(common().no_proxy().resolve_to_addrs("localhost", &loopback))?,
            unread,
        })
    }

    /// Variables that name a bundle of certificates which cannot be used, and why: to be shown. The system's are trusted
    /// in their place.
    pub fn ignored_config(&self) -> &[String] {
        &self.unread
    }

    /// Sends a body, once.
    pub(crate) async fn post(
        &self,
        endpoint: &Endpoint,
        headers: HeaderMap,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Answer, OAuthError> {
        // The bytes are wiped when the last of the transport's references to them is gone.
        let body = Bytes::from_owner(body);
        let request = self.client(endpoint).post(endpoint.url().clone()).headers(headers).body(body);
        receive(endpoint, request).await
    }

    /// Asks for a document. That changes nothing: what became of it is never in doubt.
    pub(crate) async fn get(&self, endpoint: &Endpoint, headers: HeaderMap) -> Result<Answer, OAuthError> {
        let request = self.client(endpoint).get(endpoint.url().clone()).headers(headers);
        receive(endpoint, request).await.map_err(|error| match error {
            OAuthError::OutcomeUnknown { host, source } => OAuthError::Unreachable { host, source },
            other => other,
        })
    }

    fn client(&self, endpoint: &Endpoint) -> &Client {
        if endpoint.is_loopback() { &self.near } else { &self.far }
    }
}

fn of_the_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

async fn receive(endpoint: &Endpoint, request: reqwest::RequestBuilder) -> Result<Answer, OAuthError> {
    let host = endpoint.host();
    let mut response = request.send().await.map_err(|error| failed(&host, error))?;
    let status = response.status().as_u16();
    let bad = |what| OAuthError::BadReply { host: host.clone(), status, what };
    match status {
        502 | 504 | 505.. => {
            let source = Cause(format!("status {status}"));
            return Err(OAuthError::OutcomeUnknown { host, source });
        }
        300..400 => return Err(bad(redirected(&response))),
        _ => {}
    }
    let retry_after = retry_after(response.headers());
    let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
    if response.content_length().is_some_and(|length| length > MAX_REPLY as u64) {
        return Err(bad("it is too large"));
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&host, error))? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Err(bad("it is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, retry_after, body })
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let after = text.parse().map(Duration::from_secs).ok().or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(SystemTime::now()).ok()
    });
    after.map(|after| after.min(LONGEST_WAIT))
}

fn redirected(response: &Response) -> &'static str {
    match response.headers().contains_key(LOCATION) {
        true => "it redirects elsewhere, and what is sent to a token endpoint goes nowhere else",
        false => "it redirects",
    }
}

/// Before there was a connection nothing was sent; after that nobody knows.
fn failed(host: &str, error: reqwest::Error) -> OAuthError {
    let host = host.to_owned();
    let sent = !(error.is_connect() || error.is_builder());
    let source = Cause(reason(error));
    match sent {
        true => OAuthError::OutcomeUnknown { host, source },
        false => OAuthError::Unreachable { host, source },
    }
}

/// The innermost cause, which is the one that says something.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let mut cause = error.source();
    let mut text = "the connection failed".to_owned();
    while let Some(source) = cause {
        text = source.to_string();
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_in_seconds_or_with_a_date_how_long_it_wants_to_be_left_alone() {
        let said = |text: &str| {
            let value = text.parse().expect("a header");
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]))
        };
        assert_eq!(said("120"), Some(Duration::from_secs(120)));
        assert_eq!(said("99999999999"), Some(LONGEST_WAIT));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        assert!(said(&date).is_some_and(|after| (590..=600).contains(&after.as_secs())), "{date}");
        for nothing in ["", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(said(nothing), None, "{nothing}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
