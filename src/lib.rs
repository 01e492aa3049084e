//! The one owner of the credentials of AI agents and developer tools.

pub mod client;
pub mod config;
pub mod credential;
pub mod engine;
pub mod error;
pub mod exit;
pub mod fs;
pub mod handout;
pub mod login;
pub mod net;
pub mod oauth;
pub mod provider;
pub mod redact;
pub mod refresh;
pub mod refresh_all;
pub mod resolve;
pub mod revoke;
pub mod status;
pub mod store;
pub mod ui;
pub mod vendor_files;

pub use crate::{
    client::Client,
    error::Error,
    login::{authenticate, store_api_key},
};

/// The examples of the README are run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
