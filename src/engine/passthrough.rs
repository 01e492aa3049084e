//! Proxy variables and a CA bundle, passed on to image builds and containers.

use std::{env, path::Path};

use super::EngineError;
use crate::net::tls_roots;

/// The directory of the CA bundle in images and containers.
pub(super) const CA_DIRECTORY: &str = "/etc/authenticate";
/// The file of the CA bundle in that directory.
pub(super) const CA_FILE: &str = "ca.pem";
/// The variables by which programs find a CA bundle.
const CA_VARIABLES: [&str; 5] =
    ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"];
/// The variables by which programs find a proxy, each in small letters or in capitals.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];

/// Proxy variables and certificates for builds and runs.
#[derive(Clone, Debug, Default)]
pub struct Passthrough {
    /// The proxy variables of this process.
    pub proxies: Vec<(String, String)>,
    /// The certificates to trust (PEM).
    pub ca_bundle: Option<Vec<u8>>,
    /// Variables that name an unreadable bundle, with the reason, as messages.
    pub ignored: Vec<String>,
}

impl Passthrough {
    /// Reads the proxy variables of this process and the bundle in `file`, or else the bundle that the usual variables
    /// name.
    ///
    /// # Errors
    /// [`EngineError::File`] when `file` cannot be read. An unreadable bundle from a variable is left out.
    pub fn from_env(file: Option<&Path>) -> Result<Self, EngineError> {
        let names = PROXIES.iter().flat_map(|name| [(*name).to_owned(), name.to_uppercase()]);
        let proxies = names.filter_map(|name| env::var(&name).ok().map(|value| (name, value))).collect();
        let failed = |source| {
            let path = file.unwrap_or(Path::new("")).display().to_string();
            EngineError::File { path, source }
        };
        let (bundle, unread) = tls_roots::load(file).map_err(failed)?;
        let ca_bundle = bundle.map(|bundle| bundle.pem);
        Ok(Self { proxies, ca_bundle, ignored: unread })
    }

    /// Returns the environment that makes programs use them.
    pub fn env(&self) -> Vec<(String, String)> {
        let ca = self
            .ca_bundle
            .iter()
            .flat_map(|_| CA_VARIABLES)
            .map(|name| (name.to_owned(), format!("{CA_DIRECTORY}/{CA_FILE}")));
        self.proxies.iter().cloned().chain(ca).collect()
    }
}
