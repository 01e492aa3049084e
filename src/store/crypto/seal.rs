//! Sealing: XChaCha20-Poly1305 with a key of 32 bytes, and a random nonce of 24 bytes each time.
//!
//! Sealed bytes are one byte for the format, the nonce, the ciphertext and its tag. They are bound to associated data,
//! such as the address and version of a credential, and do not open with any other.

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::AeadInOut as _};
use zeroize::Zeroizing;

use crate::{
    credential::{Address, Credential, DecodeError},
    store::StoreError,
};

/// The version of the format. No plain credential begins with this byte.
pub(in crate::store) const FORMAT: u8 = 1;
const NONCE: usize = 24;
/// The length of a key in bytes.
pub(in crate::store) const KEY: usize = 32;

/// A key for sealing. It cannot be displayed, and is wiped when it is dropped.
#[derive(Clone)]
pub(in crate::store) struct SealingKey(Box<Zeroizing<[u8; KEY]>>);

impl SealingKey {
    pub(in crate::store) fn random() -> Result<Self, StoreError> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        fill(&mut key[..])?;
        Ok(Self(key))
    }

    /// Returns `None` for bytes of another length.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        if bytes.len() != KEY {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// Returns the bytes, for key sources and key derivation.
    pub(in crate::store) fn expose(&self) -> &[u8] {
        &self.0[..]
    }

    pub(in crate::store) fn seal(&self, data: &AssociatedData, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = random::<NONCE>()?;
        let mut text = Vec::with_capacity(plain.len() + 16);
        text.extend_from_slice(plain);
        self.cipher()
            .encrypt_in_place(&XNonce::from(nonce), &data.0, &mut text)
            .map_err(|_| StoreError::io("seal", "a credential")(std::io::ErrorKind::FileTooLarge.into()))?;
        Ok([&[FORMAT][..], &nonce, &text].concat())
    }

    /// Returns `None` if the bytes were altered, or sealed with another key or other associated data.
    pub(in crate::store) fn open(&self, data: &AssociatedData, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (format, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        if *format != FORMAT {
            return None;
        }
        let mut text = Zeroizing::new(text.to_vec());
        self.cipher().decrypt_in_place(&XNonce::from(nonce), &data.0, &mut *text).ok()?;
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

/// Associated data. Each part follows its length, so that different parts never give the same bytes.
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

    /// Returns the associated data of a row, by the bytes in its key columns, which may not be valid names.
    pub(in crate::store) fn row([provider, set, profile]: [&[u8]; 3], version: i64) -> Self {
        Self::new("record", &[set, provider, profile, &version.to_be_bytes()])
    }

    fn record(address: &Address, version: i64) -> Self {
        Self::row(crate::store::db::change::key(address).map(str::as_bytes), version)
    }
}

/// Seals an encoded credential for an address and version.
pub(in crate::store) fn seal(
    key: &SealingKey,
    address: &Address,
    version: i64,
    encoded: &[u8],
) -> Result<Vec<u8>, StoreError> {
    key.seal(&AssociatedData::record(address, version), encoded)
}

/// Opens the credential that was stored at an address and version, `None` if the bytes do not open.
pub(in crate::store) fn open(
    key: &SealingKey,
    address: &Address,
    version: i64,
    stored: &[u8],
) -> Option<Result<Credential, DecodeError>> {
    key.open(&AssociatedData::record(address, version), stored).map(|plain| Credential::decode(&plain))
}

/// Returns random bytes from the system.
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
    fn sealed_text_opens_only_with_its_key_and_associated_data() {
        let (key, data) = (key(), AssociatedData::new("a", &[b"b"]));
        let sealed = key.seal(&data, b"text").expect("sealed");
        assert_eq!(key.open(&data, &sealed).as_deref().map(Vec::as_slice), Some(&b"text"[..]));
        assert!(self::key().open(&data, &sealed).is_none());
        for other in [
            AssociatedData::new("a", &[]),
            AssociatedData::new("ab", &[]),
            AssociatedData::new("a", &[b"", b"b"]),
        ] {
            assert!(key.open(&other, &sealed).is_none());
        }
    }

    #[test]
    fn altered_or_truncated_text_does_not_open() {
        let (key, data) = (key(), AssociatedData::new("a", &[]));
        let sealed = key.seal(&data, b"text").expect("sealed");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.open(&data, &altered).is_none(), "{at}");
            assert!(key.open(&data, &sealed[..at]).is_none(), "{at}");
        }
    }

    #[test]
    fn credential_opens_only_at_its_address_and_version() {
        let address = |set: &str, provider: &str| Address {
            set: set.parse().expect("a name"),
            ..Address::default_profile(provider.parse().expect("a name"))
        };
        let key = key();
        let sealed = seal(&key, &address("ab", "c"), 1, &Credential::api_key("k").encode()).expect("sealed");
        assert!(open(&key, &address("ab", "c"), 1, &sealed).is_some());
        assert!(open(&key, &address("a", "bc"), 1, &sealed).is_none());
        assert!(open(&key, &address("c", "ab"), 1, &sealed).is_none());
        assert!(open(&key, &address("ab", "c"), 2, &sealed).is_none());
    }

    #[test]
    fn same_text_sealed_twice_gives_different_bytes() {
        let (key, data) = (key(), AssociatedData::new("a", &[]));
        assert_ne!(key.seal(&data, b"text").expect("sealed"), key.seal(&data, b"text").expect("sealed"));
    }
}
