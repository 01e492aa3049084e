//! Credentials, their metadata, and the addresses under which they are stored.

pub mod address;
mod check;
mod encoding;
mod kinds;
mod metadata;
pub mod pasted;
pub mod secret;
mod set_aside;

pub use self::{
    address::{Address, DEFAULT, Name, NameError},
    encoding::DecodeError,
    kinds::{Credential, Kind, OAuth},
    metadata::{Metadata, Owner, Record},
    secret::Secret,
};
pub(crate) use self::{
    encoding::{to_json, wipe},
    kinds::{KEPT, LOGIN, LOGIN_AT, LOGIN_CLIENT, REVOCATION, SET_ASIDE},
};
