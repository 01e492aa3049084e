//! The exit codes of `docs/exit-codes.md`, written down a second time: the tests are their specification.

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const NO_CREDENTIAL: u8 = 3;
pub const LOGIN_FAILED: u8 = 4;
pub const ENGINE: u8 = 5;
pub const STORE: u8 = 6;
pub const UNREACHABLE: u8 = 7;
pub const BUSY: u8 = 8;
pub const INTERRUPTED: u8 = 130;
