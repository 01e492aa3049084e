//! Any error of the library, and its kind.

use crate::{
    config::PathsError,
    context::ConfigError,
    credential::NameError,
    engine::EngineError,
    error_kind::ErrorKind,
    handout::headers::HeadersError,
    login::{LoginError, import::ImportError},
    oauth::OAuthError,
    refresh::RefreshError,
    resolve::ResolveError,
    revoke::LogoutError,
    store::StoreError,
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
        self.kind_and_code().0
    }
}

impl LogoutError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotStored { .. } => ErrorKind::NoCredential,
            Self::RevokedNotRemoved { source, .. } => source.kind(),
            Self::Replaced { .. } => ErrorKind::Busy,
            Self::Config(_) => ErrorKind::InvalidInput,
            Self::Refresh(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

impl RefreshError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind_and_code().0
    }
}

impl LoginError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind_and_code().0
    }
}

impl ImportError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoMap { .. } | Self::NoPlace { .. } | Self::NoDirectory { .. } => ErrorKind::InvalidInput,
            Self::Changing { .. } | Self::Replaced { .. } => ErrorKind::Busy,
            Self::Unfinished { source, .. } => source.kind(),
            Self::Nothing { .. } | Self::Files { .. } | Self::Expired { .. } | Self::NotTakenOver { .. } => {
                ErrorKind::LoginFailed
            }
        }
    }
}

impl StoreError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind_and_code().0
    }
}

impl EngineError {
    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Selector(_) | Self::File { .. } => ErrorKind::InvalidInput,
            _ => ErrorKind::Engine,
        }
    }
}

impl OAuthError {
    /// The class of the error, in a login.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } | Self::Issuer { .. } => ErrorKind::LoginFailed,
            Self::Unreachable { .. } | Self::OutcomeUnknown { .. } => ErrorKind::Unreachable,
            Self::Unavailable { .. } | Self::BadReply { .. } => ErrorKind::Unreachable,
            Self::TokensInDoubt { .. } => ErrorKind::Unreachable,
            Self::Endpoint(_) | Self::CaBundle { .. } => ErrorKind::InvalidInput,
            Self::NoEndpoint { .. } | Self::Reference(_) => ErrorKind::InvalidInput,
            Self::Setup(_) => ErrorKind::Other,
        }
    }
}
