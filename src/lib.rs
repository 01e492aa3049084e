//! The one owner of the credentials of AI agents and developer tools: gets them, stores them, refreshes them and hands them
//! out.
//!
//! Begin with [`Client`]. The library never prints, prompts or exits: it asks and shows through a [`Ui`].

#![warn(unreachable_pub)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod blocking;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod context;
#[doc(hidden)]
pub mod credential;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod error;
mod error_kind;
#[doc(hidden)]
pub mod fs;
#[doc(hidden)]
pub mod handout;
#[doc(hidden)]
pub mod login;
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod oauth;
#[doc(hidden)]
pub mod provider;
#[doc(hidden)]
pub mod redact;
#[doc(hidden)]
pub mod refresh;
#[doc(hidden)]
pub mod resolve;
#[doc(hidden)]
pub mod revoke;
#[doc(hidden)]
pub mod status;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod ui;
#[doc(hidden)]
pub mod vendor_files;

#[doc(inline)]
pub use crate::{
    client::{Client, authenticate, store_api_key},
    config::{Paths, PathsError},
    context::ConfigError,
    credential::{Address, Credential, Kind, Metadata, Name, OAuth, Owner, Record, Secret},
    engine::{EngineError, EngineSelector},
    error::Error,
    error_kind::ErrorKind,
    handout::headers::{Header, HeadersError},
    login::{CancelHandle, CancelToken, FieldInput, LoginError, LoginOptions, cancel::pair as cancel_pair},
    oauth::OAuthError,
    provider::{Descriptor, Mode},
    refresh::{RefreshError, Refreshed},
    resolve::{
        FieldSource, FreshCredential, Part, Request, ResolveError, Resolved, SkipReason, Skipped, Source,
    },
    revoke::{LogoutError, LogoutOutcome, Revocation},
    status::{Details, StatusEntry, state::CredentialState},
    store::{SharedStore, Store, StoreError, Unreadable},
    ui::{Event, Nobody, Ui, UiError},
};

/// The examples of the documents are run with the others.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/library.md")]
    struct Library;
}
