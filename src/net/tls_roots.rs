//! Additional CA certificates, from a configured file or from the usual environment variables.

use std::{env, io, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::{fs::read::read_plain, redact};

/// Environment variables that name a CA bundle, in order of precedence.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
/// Size limit of a CA bundle. A usual one has a few hundred kilobytes.
const MAX_SIZE: u64 = 16 << 20;

/// A CA bundle with at least one usable certificate.
#[derive(Clone, Debug)]
pub(crate) struct TlsRoots {
    /// The content of the file.
    pub pem: Vec<u8>,
    /// The usable certificates.
    pub roots: RootCertStore,
}

/// Loads the bundle in `file`, else the first usable one that an environment variable names. Also returns a warning for
/// each variable that names an unusable bundle.
///
/// # Errors
/// The reason why `file` cannot be used.
pub(crate) fn load(file: Option<&Path>) -> io::Result<(Option<TlsRoots>, Vec<String>)> {
    if let Some(path) = file {
        return Ok((Some(load_file(path)?), Vec::new()));
    }
    let mut warnings = Vec::new();
    let named = VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    let found = named.filter(|(_, value)| !value.is_empty()).find_map(|(name, value)| {
        let path = Path::new(&value);
        let warning = |error| format!("ignoring {name}: cannot read {}: {error}", redact::redact_path(path));
        load_file(path).map_err(|error| warnings.push(warning(error))).ok()
    });
    Ok((found, warnings))
}

/// Returns the certificates that the system trusts.
pub(crate) fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn load_file(path: &Path) -> io::Result<TlsRoots> {
    let pem = read_plain(path, MAX_SIZE)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| io::Error::other(error.to_string()))?;
    if certificates.is_empty() {
        return Err(io::Error::other("it has no PEM certificate"));
    }
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err(io::Error::other("it has no usable certificate")),
        _ => Ok(TlsRoots { pem, roots }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_rejects_a_huge_bundle() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        // A sparse file, which takes no space on disk.
        file.as_file().set_len(1 << 40).expect("a length");
        let refused = load(Some(file.path())).expect_err("refused");
        assert_eq!(refused.to_string(), "it is larger than 16777216 bytes");
    }

    #[test]
    fn load_rejects_a_bundle_without_usable_certificates() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (text, why) in [
            ("", "it has no PEM certificate"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it has no PEM certificate"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "it has no usable certificate",
            ),
        ] {
            std::fs::write(file.path(), text).expect("written");
            assert_eq!(load(Some(file.path())).expect_err("refused").to_string(), why);
        }
    }
}
