//! The exit codes of the command line. They are public, and do not change.

/// Done.
pub const DONE: u8 = 0;
/// An unexpected failure.
pub const FAILED: u8 = 1;
/// Wrong usage; nothing was attempted.
pub const USAGE: u8 = 2;
/// There is no usable credential.
pub const NO_CREDENTIAL: u8 = 3;
/// The login failed or was denied, or it ended and no credential could be captured; the vendor refused to revoke one.
pub const LOGIN_FAILED: u8 = 4;
/// No container engine or image.
pub const ENGINE: u8 = 5;
/// The store is locked, without its key, altered, corrupt, somebody else's, or written by a newer version.
pub const STORE: u8 = 6;
/// The network or the vendor cannot be reached.
pub const UNREACHABLE: u8 = 7;
/// Somebody else holds this login or refresh, or changes the store's key.
pub const BUSY: u8 = 8;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;
