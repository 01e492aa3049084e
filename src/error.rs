//! Any error of the library, and its kind.

use crate::{
    config::PathsError,
    context::ConfigError,
    credential::NameError,
    engine::EngineError,
    error_kind::ErrorKind,
    handout::headers::HeadersError,
    login::{
        LoginError,
        import::ImportError,
        loopback::{PortError, PortUnavailable},
    },
    oauth::OAuthError,
    refresh::RefreshError,
    resolve::ResolveError,
    revoke::LogoutError,
    store::StoreError,
    ui::UiError,
};

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program's directories are not known.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no credential to use.
    #[error(transparent)]
    Resolve(ResolveError),
    /// The headers of a request could not be made.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// A login or an import failed.
    #[error(transparent)]
    Login(LoginError),
    /// A credential was not refreshed.
    #[error(transparent)]
    Refresh(RefreshError),
    /// A credential was not logged out.
    #[error(transparent)]
    Logout(LogoutError),
    /// The container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// The same failure is the same variant, whichever operation met it.

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Config(error.into())
    }
}

impl From<ResolveError> for Error {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Config(error) => error.into(),
            ResolveError::Store(error) => error.into(),
            ResolveError::Refresh(error) => error.into(),
            other => Self::Resolve(other),
        }
    }
}

impl From<RefreshError> for Error {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Config(error) => error.into(),
            RefreshError::Store(error) => error.into(),
            other => Self::Refresh(other),
        }
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Config(error) => error.into(),
            LoginError::Reference(error) => Self::Config(error.into()),
            LoginError::Store(error) => error.into(),
            LoginError::Engine(error) => error.into(),
            other => Self::Login(other),
        }
    }
}

impl From<LogoutError> for Error {
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::Config(error) => error.into(),
            LogoutError::Refresh(error) => error.into(),
            LogoutError::Store(error) => error.into(),
            other => Self::Logout(other),
        }
    }
}

impl ConfigError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }
}

impl Error {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Paths(_) | Self::Config(_) | Self::Headers(_) => ErrorKind::InvalidInput,
            Self::Resolve(error) => error.kind(),
            Self::Login(error) => error.kind(),
            Self::Refresh(error) => error.kind(),
            Self::Logout(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

impl ResolveError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ResolveError::NotFound { .. } | ResolveError::Incomplete { .. } => ErrorKind::NoCredential,
            ResolveError::Expired { .. } | ResolveError::BlankField { .. } => ErrorKind::NoCredential,
            ResolveError::Variable { .. } => ErrorKind::NoCredential,
            ResolveError::SeveralAccounts { .. } | ResolveError::SeveralFields { .. } => {
                ErrorKind::InvalidInput
            }
            ResolveError::NoField { .. } | ResolveError::Config(_) => ErrorKind::InvalidInput,
            ResolveError::Refresh(error) => error.kind(),
            ResolveError::Store(error) => error.kind(),
        }
    }
}

impl LogoutError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            LogoutError::NotStored { .. } => ErrorKind::NoCredential,
            LogoutError::RevokedNotRemoved { source, .. } => source.kind(),
            LogoutError::Config(_) => ErrorKind::InvalidInput,
            LogoutError::Refresh(error) => error.kind(),
            LogoutError::Store(error) => error.kind(),
        }
    }
}

impl RefreshError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            RefreshError::NotRefreshable { .. } | RefreshError::Descriptor { .. } => ErrorKind::InvalidInput,
            RefreshError::Config(_) => ErrorKind::InvalidInput,
            RefreshError::Gone { .. } => ErrorKind::NoCredential,
            RefreshError::Busy { .. } => ErrorKind::Busy,
            RefreshError::Server { source, .. } => match source.kind() {
                ErrorKind::LoginFailed => ErrorKind::Unreachable,
                kind => kind,
            },
            RefreshError::BackingOff { .. } => ErrorKind::Unreachable,
            RefreshError::Container { source, .. } => source.kind(),
            RefreshError::Store(error) => error.kind(),
            RefreshError::NotStored { source, .. } => source.kind(),
            RefreshError::Lock(_) => ErrorKind::Store,
            RefreshError::Cli { .. } => ErrorKind::LoginFailed,
            error if error.needs_login() => ErrorKind::NoCredential,
            _ => ErrorKind::Other,
        }
    }
}

impl LoginError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            LoginError::NoSuchMode { .. } | LoginError::NotImplemented(_) => ErrorKind::InvalidInput,
            LoginError::BadKey { .. } | LoginError::UnexpectedInput { .. } | LoginError::NoWayBack { .. } => {
                ErrorKind::InvalidInput
            }
            LoginError::Fields(_) | LoginError::Config(_) | LoginError::Reference(_) => {
                ErrorKind::InvalidInput
            }
            LoginError::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => {
                ErrorKind::Other
            }
            LoginError::Busy { .. } | LoginError::PortTaken(_) => ErrorKind::Busy,
            LoginError::Subject { .. } | LoginError::SubjectExpired { .. } => ErrorKind::NoCredential,
            LoginError::NothingCaptured { .. } | LoginError::TooLong(_) => ErrorKind::LoginFailed,
            LoginError::NoKey { .. } => ErrorKind::LoginFailed,
            LoginError::Import(error) => error.kind(),
            LoginError::Engine(error) => error.kind(),
            LoginError::OAuth(error) => error.kind(),
            LoginError::Store(error) => error.kind(),
            LoginError::NotStored { source } => source.kind(),
            LoginError::Ui(UiError::NoOneToAsk(_) | UiError::Rejected(_)) => ErrorKind::InvalidInput,
            LoginError::Ui(UiError::Interrupted) => ErrorKind::Interrupted,
            LoginError::Files { .. } => ErrorKind::Store,
            LoginError::Vendor(_) | LoginError::Ui(UiError::Io(_)) => ErrorKind::Other,
        }
    }
}

impl ImportError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ImportError::NoMap { .. } | ImportError::NoPlace { .. } => ErrorKind::InvalidInput,
            ImportError::NoDirectory { .. } => ErrorKind::InvalidInput,
            ImportError::Changing { .. } | ImportError::Replaced { .. } => ErrorKind::Busy,
            ImportError::Unfinished { source, .. } => source.kind(),
            ImportError::Nothing { .. } | ImportError::Files { .. } => ErrorKind::LoginFailed,
            ImportError::NotTakenOver { .. } => ErrorKind::LoginFailed,
        }
    }
}

impl StoreError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            StoreError::Settings(_) | StoreError::NewPassphraseNeeded { .. } => ErrorKind::InvalidInput,
            StoreError::BackupExists { .. } => ErrorKind::InvalidInput,
            StoreError::Backup { usage: true, .. } => ErrorKind::InvalidInput,
            StoreError::Interrupted => ErrorKind::Interrupted,
            StoreError::Busy { .. } | StoreError::KeyChanged { .. } => ErrorKind::Busy,
            StoreError::RefreshInFlight { .. } => ErrorKind::Busy,
            _ => ErrorKind::Store,
        }
    }
}

impl EngineError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            EngineError::Selector(_) | EngineError::File { .. } => ErrorKind::InvalidInput,
            _ => ErrorKind::Engine,
        }
    }
}

impl OAuthError {
    /// The class of the error, in a login.
    pub fn kind(&self) -> ErrorKind {
        match self {
            OAuthError::Refused { .. } | OAuthError::Issuer { .. } => ErrorKind::LoginFailed,
            OAuthError::Unreachable { .. } | OAuthError::OutcomeUnknown { .. } => ErrorKind::Unreachable,
            OAuthError::Unavailable { .. } | OAuthError::BadReply { .. } => ErrorKind::Unreachable,
            OAuthError::Endpoint(_) | OAuthError::CaBundle { .. } => ErrorKind::InvalidInput,
            OAuthError::NoEndpoint { .. } | OAuthError::Reference(_) => ErrorKind::InvalidInput,
            OAuthError::Setup(_) => ErrorKind::Other,
        }
    }
}
