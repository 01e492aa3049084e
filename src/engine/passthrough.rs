//! What a company network needs inside: proxy variables and a bundle of certificates.

use std::{env, path::Path};

use super::EngineError;
use crate::files;

/// Where the bundle stands in images and containers.
pub const CA_PATH: &str = "/etc/authenticate/ca.pem";
/// The variables by which programs find a bundle.
const CA_VARIABLES: [&str; 5] =
    ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"];
/// The usual variables that name a whole bundle on the host.
const CA_SOURCES: [&str; 3] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];
/// A bundle is a few hundred kilobytes.
const MAX_BUNDLE: u64 = 16 << 20;

/// Proxy variables and certificates for builds and runs.
#[derive(Clone, Debug, Default)]
pub struct Passthrough {
    /// The proxy variables that are set here.
    pub proxies: Vec<(String, String)>,
    /// The certificates to trust (PEM).
    pub ca_bundle: Option<Vec<u8>>,
    /// Variables that name a bundle which cannot be read, and why: to be shown.
    pub unread: Vec<String>,
}

impl Passthrough {
    /// The proxy variables of this process, and the bundle in `file`, or else the one named by the usual variables.
    ///
    /// # Errors
    /// [`EngineError::File`] when the bundle cannot be read. One that was only found in a variable is left out then.
    pub fn from_env(file: Option<&Path>) -> Result<Self, EngineError> {
        let proxies =
            PROXIES.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))).collect();
        let mut unread = Vec::new();
        let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let ca_bundle = match file {
            Some(path) => Some(read(path)?),
            None => CA_SOURCES.iter().find_map(|name| match read(Path::new(&named(name)?)) {
                Ok(bundle) => Some(bundle),
                Err(error) => {
                    unread.push(format!("{name} is not used: {error}"));
                    None
                }
            }),
        };
        Ok(Self { proxies, ca_bundle, unread })
    }

    /// The environment that makes programs use them.
    pub fn env(&self) -> Vec<(String, String)> {
        let ca = self
            .ca_bundle
            .iter()
            .flat_map(|_| CA_VARIABLES)
            .map(|name| (name.to_owned(), CA_PATH.to_owned()));
        self.proxies.iter().cloned().chain(ca).collect()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EngineError> {
    let failed = |source| EngineError::File { path: path.display().to_string(), source };
    let bytes = files::read_plain(path, MAX_BUNDLE).map_err(failed)?;
    if !bytes.windows(11).any(|w| w == b"-----BEGIN ") {
        return Err(failed(std::io::Error::other("not a bundle of certificates (PEM)")));
    }
    Ok(bytes)
}
