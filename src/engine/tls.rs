//! TLS to an engine, with the files that Docker uses for it.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use zeroize::Zeroizing;

use crate::{fs::read::read_plain, net::tls_roots, redact};

/// Size limit of a file.
const MAX_SIZE: u64 = 1 << 20;

/// Makes the configuration from `ca.pem`, `cert.pem` and `key.pem` of a directory. Without `ca.pem` the system's
/// authorities are trusted, without `cert.pem` we do not identify ourselves.
///
/// # Errors
/// The file that cannot be used, with the reason.
pub(super) fn client_config(directory: &Path) -> Result<ClientConfig, String> {
    let roots = match read(directory, "ca.pem")? {
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(directory, "ca.pem", &pem)?);
            roots
        }
        None => tls_roots::system(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let Some(pem) = read(directory, "cert.pem")? else { return Ok(config.with_no_client_auth()) };
    let chain = certificates(directory, "cert.pem", &pem)?;
    let key = read(directory, "key.pem")?.ok_or_else(|| unusable(directory, "key.pem", "there is none"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| unusable(directory, "key.pem", error))?;
    config.with_client_auth_cert(chain, key).map_err(|error| unusable(directory, "cert.pem", error))
}

fn read(directory: &Path, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    match read_plain(&directory.join(name), MAX_SIZE) {
        Ok(content) => Ok(Some(Zeroizing::new(content))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(directory, name, error)),
    }
}

fn certificates(directory: &Path, name: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(directory, name, "it has no PEM certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(directory, name, error)),
    }
}

fn unusable(directory: &Path, name: &str, why: impl std::fmt::Display) -> String {
    format!("cannot use {}: {why}", redact::redact_path(&directory.join(name)))
}
