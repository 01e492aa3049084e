//! The one owner of the credentials of AI agents and developer tools.

pub mod capture;
mod certificates;
pub mod client;
pub mod credential;
pub mod endpoint;
pub mod engine;
pub mod error;
pub mod exit;
pub mod files;
pub mod handout;
pub mod indirect;
pub mod lifecycle;
mod locked_file;
pub mod login;
pub mod name;
pub mod oauth;
pub mod paths;
pub mod project;
pub mod provider;
pub mod secret;
pub mod shown;
pub mod store;
pub mod suggest;
mod tree;
pub mod ui;
pub mod yaml;

pub use client::Client;
pub use error::Error;
pub use login::{authenticate, store_api_key};

/// The examples of the README are run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
