//! Stands in for the crate `keyring` in a build without the feature of that name: there is no key ring.

use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The errors of the crate that are told apart. Of these, only [`Error::Unsupported`] can happen.
#[allow(dead_code, reason = "never constructed: there is no key ring that could fail")]
#[derive(Debug)]
pub(crate) enum Error {
    Unsupported,
    NoEntry,
    NoStorageAccess(String),
    PlatformFailure(String),
    BadEncoding(Vec<u8>),
    BadDataFormat(Vec<u8>, String),
    Ambiguous(Vec<Entry>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this program was built without the feature `keyring`: use one that has it, or another source",
        )
    }
}

/// An entry of a key ring, of which there are none.
#[derive(Debug)]
pub(crate) enum Entry {}

impl Entry {
    pub(crate) fn store_status() -> Result<()> {
        Ok(())
    }

    pub(crate) fn new(_service: &str, _user: &str) -> Result<Self> {
        Err(Error::Unsupported)
    }

    pub(crate) fn set_secret(&self, _secret: &[u8]) -> Result<()> {
        match *self {}
    }

    pub(crate) fn get_secret(&self) -> Result<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn delete_credential(&self) -> Result<()> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        credential::{Address, Credential, Metadata},
        store::{KeySource, Place, Store},
    };

    #[test]
    fn a_key_ring_in_a_build_without_the_feature_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::from(directory.path()).key_source(KeySource::Keyring);
        let mut store = Store::open(place).expect("a store");
        let address = Address::default_profile("p".parse().expect("a name"));
        let error = store.put(&address, &Credential::api_key("k"), &Metadata::default()).expect_err("no key");
        assert!(error.to_string().contains("built without the feature `keyring`"), "{error}");
    }
}
