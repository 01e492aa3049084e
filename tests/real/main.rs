//! The program with real parts that a package manager has to install: an OpenID provider, a browser, key rings.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod browser;
mod crowds;
mod disks;
mod files_of_others;
mod grants;
mod ipv6;
mod key_sources;
mod killed;
mod killed_store;
mod openid;
