//! The exit codes of the command line, which are public and stable.

use authenticate::ErrorKind;

/// Done.
pub const DONE: u8 = 0;
/// An unexpected failure.
pub const FAILED: u8 = 1;
/// Invalid usage or configuration. Nothing was attempted.
pub const USAGE: u8 = 2;
/// No usable credential.
pub const NO_CREDENTIAL: u8 = 3;
/// The login failed, was denied or left no credential; or the vendor refused to revoke one.
pub const LOGIN_FAILED: u8 = 4;
/// No container engine, or no image.
pub const ENGINE: u8 = 5;
/// The store is locked, corrupt, altered, owned by another user, written by a newer version, or its key is missing.
pub const STORE: u8 = 6;
/// The network or the vendor cannot be reached.
pub const UNREACHABLE: u8 = 7;
/// Another process is logging in to this credential, refreshing it or changing the store's key.
pub const BUSY: u8 = 8;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a class of errors.
pub fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidInput => USAGE,
        ErrorKind::NoCredential => NO_CREDENTIAL,
        ErrorKind::LoginFailed => LOGIN_FAILED,
        ErrorKind::Engine => ENGINE,
        ErrorKind::Store => STORE,
        ErrorKind::Unreachable => UNREACHABLE,
        ErrorKind::Busy => BUSY,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}
