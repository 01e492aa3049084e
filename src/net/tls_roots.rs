//! The certificates to trust: those of a file that is named, or of one that the usual variables name.

use std::{env, io, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::{fs::trust, redact};

/// The usual variables that name a whole bundle.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
/// A bundle is a few hundred kilobytes.
const MAX: u64 = 16 << 20;

/// A file of certificates of which at least one can be used.
#[derive(Clone, Debug)]
pub(crate) struct TlsRoots {
    /// As it is in the file.
    pub pem: Vec<u8>,
    /// What of it can be used.
    pub roots: RootCertStore,
}

/// The bundle in `file`, or else the first that a variable names; and what is to be shown of variables that name one which
/// cannot be used.
///
/// # Errors
/// Why `file` cannot be used.
pub(crate) fn load(file: Option<&Path>) -> io::Result<(Option<TlsRoots>, Vec<String>)> {
    if let Some(path) = file {
        return Ok((Some(read(path)?), Vec::new()));
    }
    let mut unread = Vec::new();
    let named = VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    let found = named.filter(|(_, value)| !value.is_empty()).find_map(|(name, value)| {
        let path = Path::new(&value);
        let why = |error| format!("{name} is not used: cannot read {}: {error}", redact::redact_path(path));
        read(path).map_err(|error| unread.push(why(error))).ok()
    });
    Ok((found, unread))
}

fn read(path: &Path) -> io::Result<TlsRoots> {
    let pem = trust::read_plain(path, MAX)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| io::Error::other(error.to_string()))?;
    if certificates.is_empty() {
        return Err(io::Error::other("there is no certificate in it (PEM)"));
    }
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err(io::Error::other("none of the certificates in it can be used")),
        _ => Ok(TlsRoots { pem, roots }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_of_a_bundle_than_any_has() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        // What there is of it on the disk is nothing.
        file.as_file().set_len(1 << 40).expect("a length");
        let refused = load(Some(file.path())).expect_err("refused");
        assert_eq!(refused.to_string(), "it is larger than 16777216 bytes");
    }

    #[test]
    fn a_bundle_that_makes_nobody_trusted_is_none() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (text, why) in [
            ("", "there is no certificate in it (PEM)"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "there is no certificate in it (PEM)",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "none of the certificates in it can be used",
            ),
        ] {
            std::fs::write(file.path(), text).expect("written");
            assert_eq!(load(Some(file.path())).expect_err("refused").to_string(), why);
        }
    }
}
