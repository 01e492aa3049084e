//! Gets, stores, refreshes and hands out the credentials of AI agents and developer tools. Begin with [`Client`].
//!
#![doc = include_str!("../docs/library.md")]
#![warn(unreachable_pub)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod blocking;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod clock;
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

pub use jiff::Timestamp;
pub use url::Url;

#[doc(inline)]
pub use crate::{
    client::{Client, authenticate, store_api_key},
    config::{Paths, PathsError, yaml::Problem},
    context::ConfigError,
    credential::{Address, Credential, Kind, Metadata, Name, NameError, OAuth, Owner, Record, Secret},
    engine::{EngineError, EngineSelector},
    error::Error,
    error_kind::ErrorKind,
    handout::headers::{Header, HeadersError},
    login::{
        CancelHandle, CancelToken, Ending, FieldInput, FieldsError, LoginError, LoginOptions,
        cancel::{CancelRequest, pair as cancel_pair},
        import::ImportError,
    },
    oauth::{OAuthError, TokenHint},
    provider::{Descriptor, Mode, descriptor::Field},
    refresh::{RefreshError, Refreshed},
    resolve::{
        FieldSource, FreshCredential, Part, Request, ResolveError, Resolved, SkipReason, Skipped, Source,
    },
    revoke::{LogoutError, LogoutOutcome, Revocation},
    status::{
        Details, StatusEntry,
        state::{CredentialState, RefreshProblem},
    },
    store::{
        PassphraseProvider, PassphraseRequest, Place, PromptError, Removal, SharedStore, Store, StoreError,
        Unreadable, set_passphrase_provider,
    },
    ui::{Console, Event, FieldQuestion, Nobody, Size, Terminal, Ui, UiError},
};

/// The README's examples are run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
