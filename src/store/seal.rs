//! Between a credential and the bytes in the `secret` column. Nothing else knows what those bytes are.

use zeroize::Zeroizing;

use crate::{
    credential::{Credential, DecodeError},
    name::Address,
};

/// The bytes to store for a credential at this address and version.
pub(super) fn seal(_address: &Address, _version: i64, credential: &Credential) -> Zeroizing<Vec<u8>> {
    credential.encode()
}

/// The credential that was stored at this address and version.
pub(super) fn open(_address: &Address, _version: i64, stored: &[u8]) -> Result<Credential, DecodeError> {
    Credential::decode(stored)
}
