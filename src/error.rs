//! Every error of the library, with the hint and the exit code that the command line gives it.

use crate::{
    engine::EngineError,
    exit,
    login::LoginError,
    name::NameError,
    paths::PathsError,
    provider::UnknownProvider,
    store::StoreError,
    ui::UiError,
    yaml::{self, Problem},
};

/// Anything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No directories.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// A provider that is not known.
    #[error(transparent)]
    UnknownProvider(#[from] UnknownProvider),
    /// A provider's descriptor is wrong.
    #[error("{}", yaml::join(.0))]
    Descriptor(Vec<Problem>),
    /// A project's file is wrong.
    #[error("{}", yaml::join(.0))]
    Project(Vec<Problem>),
    /// There is no usable credential.
    #[error("no credential for {what}")]
    NoCredential {
        /// What was asked for.
        what: String,
        /// How to get one.
        hint: String,
    },
    /// The credential is past its time.
    #[error("the credential for {what} expired {ago} ago")]
    Expired {
        /// What was asked for.
        what: String,
        /// Since when.
        ago: String,
        /// How to get a new one.
        hint: String,
    },
    /// A login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// The exit code of a command that failed with it: one of [`crate::exit`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Name(_) | Self::Paths(_) | Self::UnknownProvider(_) => exit::USAGE,
            Self::Descriptor(_) | Self::Project(_) => exit::USAGE,
            Self::NoCredential { .. } | Self::Expired { .. } => exit::NO_CREDENTIAL,
            Self::Engine(error) => engine_code(error),
            Self::Store(error) => store_code(error),
            Self::Login(error) => login_code(error),
        }
    }

    /// What to do next, where that is known and not already said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownProvider(unknown) => Some(format!("known: {}", unknown.known.join(", "))),
            Self::NoCredential { hint, .. } | Self::Expired { hint, .. } => Some(hint.clone()),
            Self::Engine(error) | Self::Login(LoginError::Engine(error)) => engine_hint(error),
            Self::Login(error) => login_hint(error),
            _ => None,
        }
    }
}

fn store_code(error: &StoreError) -> u8 {
    match error {
        StoreError::Settings(_) => exit::USAGE,
        StoreError::Backup(error) if error.usage => exit::USAGE,
        StoreError::Interrupted => exit::INTERRUPTED,
        _ => exit::STORE,
    }
}

fn engine_code(error: &EngineError) -> u8 {
    match error {
        EngineError::BadUrl(_) => exit::USAGE,
        _ => exit::ENGINE,
    }
}

fn login_code(error: &LoginError) -> u8 {
    match error {
        LoginError::NoSuchMode { .. } | LoginError::NotYet(_) | LoginError::BadKey { .. } => exit::USAGE,
        LoginError::KeyNotWanted(_) => exit::USAGE,
        LoginError::KeySource { .. } | LoginError::Ui(UiError::NobodyToAsk(_)) => exit::USAGE,
        LoginError::Busy { .. } | LoginError::PortTaken { .. } => exit::BUSY,
        LoginError::NothingCaptured { .. } => exit::LOGIN_FAILED,
        LoginError::Engine(error) => engine_code(error),
        LoginError::Store(error) => store_code(error),
        LoginError::Ui(UiError::Interrupted) => exit::INTERRUPTED,
        LoginError::Files { .. } | LoginError::Ui(UiError::Io(_)) => exit::FAILED,
    }
}

fn engine_hint(error: &EngineError) -> Option<String> {
    match error {
        EngineError::NotFound { start, .. } => Some(
            start.clone().unwrap_or_else(|| "install Docker or Podman, or name one with --engine".into()),
        ),
        EngineError::NoImage { .. } => {
            Some("pull or build it first: its name must be the engine's own".into())
        }
        EngineError::Build { tail, .. } if !tail.is_empty() => {
            Some(format!("the end of the build's output:\n{tail}"))
        }
        _ => None,
    }
}

fn login_hint(error: &LoginError) -> Option<String> {
    match error {
        LoginError::BadKey { forceable: true, .. } => Some("--force stores it all the same".into()),
        LoginError::NoSuchMode { has, .. } => has.first().map(|mode| format!("use --mode {mode}")),
        LoginError::NothingCaptured { because: Some(because), .. } => Some(because.to_string()),
        LoginError::PortTaken { .. } => {
            Some("end that program, or log in from a terminal, where the redirect can be pasted".into())
        }
        _ => None,
    }
}
