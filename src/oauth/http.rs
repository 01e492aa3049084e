//! HTTP requests to endpoints: bounded in time and size, never redirected, never repeated.

use std::{
    error::Error as _,
    iter::successors,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use hyper::body::Bytes;
use reqwest::{
    Client, Response,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::{Endpoint, OAuthError, error::Cause};
use crate::net::tls_roots;

/// Far more than any response of a token endpoint.
const MAX_RESPONSE: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(10);
/// The time limit of a request with its response.
pub(crate) const TOTAL: Duration = Duration::from_secs(30);
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
/// Some servers begin a response with it, although JSON has none (RFC 8259 section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// An HTTP client. It follows no redirects, connects within 10 seconds, gives a request 30 seconds, and reads at most
/// 1 MiB, decompressed. It uses the system's proxies, except on the way to this machine's loopback.
#[derive(Clone, Debug)]
pub struct Http {
    remote: Client,
    loopback: Client,
    ignored_config: Vec<String>,
}

/// A complete response.
pub(crate) struct HttpResponse {
    pub status: u16,
    /// See [`OAuthError::Unavailable`].
    pub retry_after: Option<Duration>,
    pub body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// Makes a client that trusts the certificates in `ca_bundle` (PEM), or in the file that `SSL_CERT_FILE`,
    /// `CURL_CA_BUNDLE` or `REQUESTS_CA_BUNDLE` names, or the system's.
    ///
    /// # Errors
    /// [`OAuthError::CaBundle`] when `ca_bundle` cannot be used, [`OAuthError::Setup`]. A problem with a variable is in
    /// [`Http::ignored_config`].
    pub fn new(ca_bundle: Option<&Path>) -> Result<Self, OAuthError> {
        Self::limited(ca_bundle, TOTAL)
    }

    pub(crate) fn limited(ca_bundle: Option<&Path>, total: Duration) -> Result<Self, OAuthError> {
        let failed =
            |source| OAuthError::CaBundle { path: ca_bundle.map(Path::to_owned).unwrap_or_default(), source };
        let (bundle, ignored_config) = tls_roots::load(ca_bundle).map_err(failed)?;
        let roots = bundle.map_or_else(tls_roots::system, |bundle| bundle.roots);
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
                // Some servers compress all the same (gzip, deflate, br), and that is decoded.
                .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, IDENTITY)]))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                // A kept connection could break just when it is reused, with the request sent or not.
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT)
                .timeout(total)
        };
        let addresses = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| OAuthError::Setup(error.to_string()))
        };
        Ok(Self {
            remote: built(common())?,
            loopback: built(common().no_proxy().resolve_to_addrs("localhost", &addresses))?,
            ignored_config,
        })
    }

    /// Returns a message for each variable that names an unusable certificate bundle. The system's certificates are
    /// trusted in its place.
    pub fn ignored_config(&self) -> &[String] {
        &self.ignored_config
    }

    /// Posts a body, once.
    pub(crate) async fn post(
        &self,
        endpoint: &Endpoint,
        headers: HeaderMap,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<HttpResponse, OAuthError> {
        // Wiped when the transport drops its last reference.
        let body = Bytes::from_owner(body);
        let request = self.client(endpoint).post(endpoint.url().clone()).headers(headers).body(body);
        receive(endpoint, request).await
    }

    /// Gets a document. As that changes nothing, its outcome is never unknown.
    pub(crate) async fn get(
        &self,
        endpoint: &Endpoint,
        headers: HeaderMap,
    ) -> Result<HttpResponse, OAuthError> {
        let request = self.client(endpoint).get(endpoint.url().clone()).headers(headers);
        receive(endpoint, request).await.map_err(|error| match error {
            OAuthError::OutcomeUnknown { host, source } => OAuthError::Unreachable { host, source },
            other => other,
        })
    }

    fn client(&self, endpoint: &Endpoint) -> &Client {
        if endpoint.is_loopback() { &self.loopback } else { &self.remote }
    }
}

async fn receive(endpoint: &Endpoint, request: reqwest::RequestBuilder) -> Result<HttpResponse, OAuthError> {
    let host = endpoint.host();
    let mut response = request.send().await.map_err(|error| failed(&host, error))?;
    let status = response.status().as_u16();
    let unusable = |what| OAuthError::BadReply { host: host.clone(), status, what };
    match status {
        502 | 504 | 505.. => {
            let source = Cause(format!("status {status}"));
            return Err(OAuthError::OutcomeUnknown { host, source });
        }
        300..400 => return Err(unusable(redirect_problem(&response))),
        _ => {}
    }
    let retry_after = retry_after(response.headers());
    let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
    if response.content_length().is_some_and(|length| length > MAX_RESPONSE as u64) {
        return Err(unusable("it is too large"));
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&host, error))? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            return Err(unusable("it is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(HttpResponse { status, retry_after, body })
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let after = text.parse().map(Duration::from_secs).ok().or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(SystemTime::now()).ok()
    });
    after.map(|after| after.min(MAX_RETRY_AFTER))
}

fn redirect_problem(response: &Response) -> &'static str {
    match response.headers().contains_key(LOCATION) {
        true => "it redirects elsewhere, and requests to an endpoint follow no redirects",
        false => "it redirects",
    }
}

/// Tells an error before the connection, when nothing was sent, from one after it.
fn failed(host: &str, error: reqwest::Error) -> OAuthError {
    let host = host.to_owned();
    let sent = !(error.is_connect() || error.is_builder());
    let source = Cause(reason(error));
    match sent {
        true => OAuthError::OutcomeUnknown { host, source },
        false => OAuthError::Unreachable { host, source },
    }
}

/// Returns the innermost cause, which is the most specific.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response in time".into();
    }
    let error = error.without_url();
    let innermost = successors(error.source(), |&cause| cause.source()).last();
    innermost.map_or_else(|| "the connection failed".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_seconds_or_as_a_date_is_read_and_capped() {
        let read = |text: &str| {
            let value = text.parse().expect("a header");
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]))
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("99999999999"), Some(MAX_RETRY_AFTER));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        assert!(read(&date).is_some_and(|after| (590..=600).contains(&after.as_secs())), "{date}");
        for invalid in ["", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(read(invalid), None, "{invalid}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
