//! Sealing: XChaCha20-Poly1305 under a key of 32 bytes, with a random nonce of 24 bytes for each time.
//!
//! What is sealed is bound to what it is about, its associated data: sealed bytes that are put elsewhere do not
//! open there. The form is one byte with the version of the form, the nonce, and the sealed text with its tag.

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::AeadInOut as _};
use zeroize::Zeroizing;

use crate::{
    credential::{Address, Credential, DecodeError},
    store::StoreError,
};

/// The version of the form. No credential that is not sealed begins so.
pub(in crate::store) const FORMAT: u8 = 1;
const NONCE: usize = 24;
/// The length of a key in bytes.
pub(in crate::store) const KEY: usize = 32;

/// A key that seals. It cannot be shown, and is wiped when it is dropped.
#[derive(Clone)]
pub(in crate::store) struct SealingKey(Box<Zeroizing<[u8; KEY]>>);

impl SealingKey {
    pub(in crate::store) fn random() -> Result<Self, StoreError> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        fill(&mut key[..])?;
        Ok(Self(key))
    }

    /// `None` for bytes of another length.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        if bytes.len() != KEY {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// For the places that keep keys, and for deriving others.
    pub(in crate::store) fn expose(&self) -> &[u8] {
        &self.0[..]
    }

    pub(in crate::store) fn seal(&self, about: &AssociatedData, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = random::<NONCE>()?;
        let mut text = Vec::with_capacity(plain.len() + 16);
        text.extend_from_slice(plain);
        self.cipher()
            .encrypt_in_place(&XNonce::from(nonce), &about.0, &mut text)
            .map_err(|_| StoreError::io("seal", "a credential")(std::io::ErrorKind::FileTooLarge.into()))?;
        Ok([&[FORMAT][..], &nonce, &text].concat())
    }

    /// `None` when it was sealed by another key, about something else, or was altered.
    pub(in crate::store) fn open(&self, about: &AssociatedData, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (format, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        if *format != FORMAT {
            return None;
        }
        let mut text = Zeroizing::new(text.to_vec());
        self.cipher().decrypt_in_place(&XNonce::from(nonce), &about.0, &mut *text).ok()?;
        Some(text)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&**self.0).into())
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

/// What something sealed is about. Each part has its length before it, so that no two lists of parts are the
/// same bytes.
pub(in crate::store) struct AssociatedData(Vec<u8>);

impl AssociatedData {
    pub(in crate::store) fn new(what: &str, parts: &[&[u8]]) -> Self {
        let mut bytes = vec![FORMAT];
        for part in [what.as_bytes()].iter().chain(parts) {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(*part);
        }
        Self(bytes)
    }

    /// A credential: its address and its version.
    fn record(address: &Address, version: i64) -> Self {
        let Address { set, provider, profile } = address;
        Self::row([provider, set, profile].map(|name| name.as_str().as_bytes()), version)
    }

    /// The same by what stands in the place of names.
    fn row([provider, set, profile]: [&[u8]; 3], version: i64) -> Self {
        Self::new("record", &[set, provider, profile, &version.to_be_bytes()])
    }
}

/// The bytes to store for a credential at this address and version.
pub(in crate::store) fn seal(
    key: &SealingKey,
    address: &Address,
    version: i64,
    credential: &Credential,
) -> Result<Vec<u8>, StoreError> {
    seal_bytes(key, address, version, &credential.encode())
}

/// As [`seal`], for the encoded form of a credential.
pub(in crate::store) fn seal_bytes(
    key: &SealingKey,
    address: &Address,
    version: i64,
    encoded: &[u8],
) -> Result<Vec<u8>, StoreError> {
    key.seal(&AssociatedData::record(address, version), encoded)
}

/// The same, for a row whose names are none.
pub(in crate::store) fn seal_row(
    key: &SealingKey,
    names: [&[u8]; 3],
    version: i64,
    encoded: &[u8],
) -> Result<Vec<u8>, StoreError> {
    key.seal(&AssociatedData::row(names, version), encoded)
}

/// The credential that was stored at this address and version, `None` when the bytes do not open.
pub(in crate::store) fn open(
    key: &SealingKey,
    address: &Address,
    version: i64,
    stored: &[u8],
) -> Option<Result<Credential, DecodeError>> {
    key.open(&AssociatedData::record(address, version), stored).map(|plain| Credential::decode(&plain))
}

/// Random bytes from the system.
pub(in crate::store) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes)
        .map_err(|error| StoreError::io("get random bytes from", "the system")(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SealingKey {
        SealingKey::random().expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_only_under_its_key_and_about_what_it_was() {
        let (key, about) = (key(), AssociatedData::new("a", &[b"b"]));
        let sealed = key.seal(&about, b"text").expect("sealed");
        assert_eq!(key.open(&about, &sealed).as_deref().map(Vec::as_slice), Some(&b"text"[..]));
        assert!(self::key().open(&about, &sealed).is_none());
        for other in [
            AssociatedData::new("a", &[]),
            AssociatedData::new("ab", &[]),
            AssociatedData::new("a", &[b"", b"b"]),
        ] {
            assert!(key.open(&other, &sealed).is_none());
        }
    }

    #[test]
    fn whatever_bit_is_changed_it_does_not_open() {
        let (key, about) = (key(), AssociatedData::new("a", &[]));
        let sealed = key.seal(&about, b"text").expect("sealed");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.open(&about, &altered).is_none(), "{at}");
            assert!(key.open(&about, &sealed[..at]).is_none(), "{at}");
        }
    }

    #[test]
    fn names_cannot_run_into_each_other() {
        let address = |set: &str, provider: &str| Address {
            set: set.parse().expect("a name"),
            ..Address::default_profile(provider.parse().expect("a name"))
        };
        let key = key();
        let sealed = seal(&key, &address("ab", "c"), 1, &Credential::api_key("k")).expect("sealed");
        assert!(open(&key, &address("ab", "c"), 1, &sealed).is_some());
        assert!(open(&key, &address("a", "bc"), 1, &sealed).is_none());
        assert!(open(&key, &address("c", "ab"), 1, &sealed).is_none());
        assert!(open(&key, &address("ab", "c"), 2, &sealed).is_none());
    }

    #[test]
    fn the_same_text_is_never_sealed_to_the_same_bytes() {
        let (key, about) = (key(), AssociatedData::new("a", &[]));
        assert_ne!(key.seal(&about, b"text").expect("sealed"), key.seal(&about, b"text").expect("sealed"));
    }
}
