//! Every error of the library, with the hint and the exit code that the command line gives it.

use std::path::Path;

use crate::{
    config::{
        PathsError, ReferenceError,
        yaml::{self, Problem},
    },
    credential::{Address, NameError},
    engine::EngineError,
    exit,
    handout::headers::HeadersError,
    login::{
        LoginError,
        cli::port_forward::{PortError, PortUnavailable},
        import::ImportError,
    },
    oauth::{OAuthError, TokenHint},
    provider::{UnknownProvider, Unusable},
    refresh::RefreshError,
    store::StoreError,
    ui::UiError,
    vendor_files::{CaptureError, Refusal},
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
    /// The environment variable that would hold the credential does not hold one.
    #[error("the environment variable {name} {problem}: it holds no credential")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with its value; never the value.
        problem: &'static str,
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
    /// Several accounts are stored, and nothing says which is meant.
    #[error("several accounts of {provider} are stored: {}", .profiles.iter().map(|p| format!("{provider}:{p}")).collect::<Vec<_>>().join(", "))]
    SeveralAccounts {
        /// The provider.
        provider: String,
        /// Their profiles.
        profiles: Vec<String>,
    },
    /// There are several fields, and no one value.
    #[error("{what} has several fields: {}", .fields.join(", "))]
    SeveralFields {
        /// What was asked for.
        what: String,
        /// Its fields.
        fields: Vec<String>,
    },
    /// There is no such field.
    #[error("{what} has no field {}{}", crate::redact::quote(.field), has(.fields))]
    NoField {
        /// What was asked for.
        what: String,
        /// The field.
        field: String,
        /// Its fields.
        fields: Vec<String>,
    },
    /// The field is neither stored nor in the environment.
    #[error("field {field} of {what} is blank{}", .variable.as_ref().map(|v| format!(", and {v} is not set")).unwrap_or_default())]
    BlankField {
        /// What was asked for.
        what: String,
        /// The field.
        field: String,
        /// The variable that would fill it.
        variable: Option<String>,
    },
    /// A value of the configuration is in a variable that is not set.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// There are no headers for a request.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// A login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An authorization server, at a refresh or a revocation.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// A credential was not revoked at its vendor, and is kept.
    #[error("{address} was not revoked, and is kept")]
    NotRevoked {
        /// Where it is.
        address: Box<Address>,
        /// What the vendor said, or why it could not be asked.
        source: OAuthError,
    },
    /// A credential was revoked at its vendor, and is still stored.
    #[error(
        "{address} was revoked at the vendor, but could not be removed from this machine, where it is of no use"
    )]
    RevokedNotRemoved {
        /// Where it is.
        address: Box<Address>,
        /// Why not.
        source: Box<StoreError>,
    },
    /// Of the tokens of a credential one was revoked at its vendor; it is kept.
    #[error("{address} was revoked in part, and is kept: its {revoked} was revoked, its {kept} was NOT")]
    RevokedInPart {
        /// Where it is.
        address: Box<Address>,
        /// The token that does not work any more.
        revoked: TokenHint,
        /// The other one, which stays valid.
        kept: TokenHint,
        /// What the vendor said of that one, or why it could not be asked.
        source: OAuthError,
    },
    /// A credential was not renewed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unusable> for Error {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Unknown(unknown) => Self::UnknownProvider(unknown),
            Unusable::Wrong(problems) => Self::Descriptor(problems),
        }
    }
}

impl Error {
    /// The exit code of a command that failed with it: one of [`crate::exit`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Name(_) | Self::Paths(_) | Self::UnknownProvider(_) => exit::USAGE,
            Self::Descriptor(_) | Self::Project(_) => exit::USAGE,
            Self::NoCredential { .. } | Self::Expired { .. } | Self::BlankField { .. } => exit::NO_CREDENTIAL,
            Self::Variable { .. } => exit::NO_CREDENTIAL,
            Self::SeveralAccounts { .. } | Self::SeveralFields { .. } | Self::NoField { .. } => exit::USAGE,
            Self::Reference(_) | Self::Headers(_) => exit::USAGE,
            Self::Engine(error) => engine_code(error),
            Self::OAuth(error) => oauth_code(error, exit::NO_CREDENTIAL),
            Self::NotRevoked { source, .. } | Self::RevokedInPart { source, .. } => match source.is_refusal()
            {
                true => exit::LOGIN_FAILED,
                false => oauth_code(source, exit::LOGIN_FAILED),
            },
            Self::Store(error) => store_code(error),
            Self::RevokedNotRemoved { source, .. } => store_code(source),
            Self::Login(error) => login_code(error),
            Self::Refresh(error) => refresh_code(error),
        }
    }

    /// A short word for it, for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::NoCredential { .. } | Self::BlankField { .. } => "incomplete",
            Self::SeveralFields { .. } => "several_fields",
            Self::NoField { .. } => "no_field",
            Self::Refresh(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Login(error) => error.code(),
            Self::Descriptor(_) | Self::Project(_) | Self::Reference(_) => "configuration",
            _ => "failed",
        }
    }

    /// What to do next, where that is known and not already said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownProvider(unknown) => Some(format!("known: {}", unknown.known.join(", "))),
            Self::SeveralAccounts { provider, profiles } => profiles.first().map(|profile| {
                format!("name one, as {provider}:{profile}, or set `profiles` in the project's file")
            }),
            Self::SeveralFields { fields, .. } => {
                fields.first().map(|field| format!("name one, as --field {field}, or take all with --json"))
            }
            Self::NoCredential { hint, .. } | Self::Expired { hint, .. } => Some(hint.clone()),
            Self::Engine(error) | Self::Login(LoginError::Engine(error)) => engine_hint(error),
            Self::Login(error) => login_hint(error),
            Self::Refresh(error) => refresh_hint(error),
            Self::RevokedNotRemoved { .. } => {
                Some("`authenticate logout --no-revoke` removes it, when the store can be written".into())
            }
            Self::NotRevoked { .. } | Self::RevokedInPart { .. } => Some(
                "`authenticate logout` removes it here all the same; at the vendor it stays valid until it ends or is removed there"
                    .into(),
            ),
            _ => None,
        }
    }
}

fn has(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!("; it has {}", fields.join(", ")) }
}

fn store_code(error: &StoreError) -> u8 {
    match error {
        StoreError::Settings(_) | StoreError::NewPassphraseNeeded { .. } => exit::USAGE,
        StoreError::Backup(error) if error.usage => exit::USAGE,
        StoreError::Interrupted => exit::INTERRUPTED,
        StoreError::Busy { .. } | StoreError::KeyChanged { .. } | StoreError::RefreshInFlight { .. } => {
            exit::BUSY
        }
        _ => exit::STORE,
    }
}

fn engine_code(error: &EngineError) -> u8 {
    match error {
        EngineError::BadUrl(_) | EngineError::UserInUrl(_) | EngineError::File { .. } => exit::USAGE,
        _ => exit::ENGINE,
    }
}

/// What a refusal means depends on what was asked for.
fn oauth_code(error: &OAuthError, refused: u8) -> u8 {
    match error {
        OAuthError::Refused { .. } => refused,
        OAuthError::Unreachable { .. } | OAuthError::OutcomeUnknown { .. } => exit::UNREACHABLE,
        OAuthError::Unavailable { .. } | OAuthError::BadReply { .. } => exit::UNREACHABLE,
        OAuthError::Issuer { .. } => refused,
        OAuthError::Endpoint(_) | OAuthError::CaBundle { .. } => exit::USAGE,
        OAuthError::NoEndpoint { .. } | OAuthError::Reference(_) => exit::USAGE,
        OAuthError::Setup(_) => exit::FAILED,
    }
}

fn refresh_code(error: &RefreshError) -> u8 {
    match error {
        RefreshError::NotRefreshable { .. } | RefreshError::Descriptor { .. } => exit::USAGE,
        RefreshError::InvalidDescriptor(_) | RefreshError::Reference(_) => exit::USAGE,
        RefreshError::Gone { .. } => exit::NO_CREDENTIAL,
        RefreshError::Busy { .. } => exit::BUSY,
        RefreshError::Server { source, .. } => oauth_code(source, exit::UNREACHABLE),
        RefreshError::BackingOff { .. } => exit::UNREACHABLE,
        RefreshError::Container { source, .. } => login_code(source),
        RefreshError::Store(error) => store_code(error),
        RefreshError::NotStored { source, .. } => store_code(source),
        RefreshError::Lock(_) => exit::STORE,
        RefreshError::Cli { .. } => exit::LOGIN_FAILED,
        error if error.needs_login() => exit::NO_CREDENTIAL,
        _ => exit::FAILED,
    }
}

fn login_code(error: &LoginError) -> u8 {
    match error {
        LoginError::NoSuchMode { .. } | LoginError::NotImplemented(_) | LoginError::BadKey { .. } => {
            exit::USAGE
        }
        LoginError::UnexpectedInput { .. } | LoginError::Fields(_) => exit::USAGE,
        LoginError::KeySource { .. } | LoginError::Ui(UiError::NoOneToAsk(_)) => exit::USAGE,
        LoginError::Ui(UiError::Rejected(_)) => exit::USAGE,
        LoginError::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => exit::FAILED,
        LoginError::Busy { .. } | LoginError::PortTaken(_) => exit::BUSY,
        LoginError::Reference(_) => exit::USAGE,
        LoginError::Subject { .. } => exit::NO_CREDENTIAL,
        LoginError::NothingCaptured { .. } | LoginError::TooLong(_) | LoginError::NoKey { .. } => {
            exit::LOGIN_FAILED
        }
        LoginError::Import(error) => import_code(error),
        LoginError::Engine(error) => engine_code(error),
        LoginError::OAuth(error) => oauth_code(error, exit::LOGIN_FAILED),
        LoginError::Store(error) => store_code(error),
        LoginError::NotStored { source } => store_code(source),
        LoginError::Ui(UiError::Interrupted) => exit::INTERRUPTED,
        LoginError::Files { .. } => exit::STORE,
        LoginError::Vendor(_) | LoginError::Ui(UiError::Io(_)) => exit::FAILED,
    }
}

fn import_code(error: &ImportError) -> u8 {
    match error {
        ImportError::NoMap { .. } | ImportError::NoPlace { .. } | ImportError::NoDirectory { .. } => {
            exit::USAGE
        }
        ImportError::Changing { .. } | ImportError::Replaced { .. } => exit::BUSY,
        ImportError::Unfinished { source, .. } => store_code(source),
        ImportError::Nothing { .. } | ImportError::Files { .. } | ImportError::NotTakenOver { .. } => {
            exit::LOGIN_FAILED
        }
    }
}

fn import_hint(error: &ImportError) -> Option<String> {
    let text = match error {
        ImportError::NoPlace { .. } | ImportError::NoDirectory { .. } | ImportError::Nothing { .. } => {
            "--from DIR says where it is"
        }
        ImportError::Files { source: CaptureError::Refused { problem: Refusal::Link, file }, .. } => {
            match Path::new(file).is_absolute() {
                true => "--from takes the directory that the link leads to",
                false => "--from takes the directory in which the file itself is",
            }
        }
        ImportError::NotTakenOver { .. } => {
            "the vendor's tool has it still, and we do not renew it; try --move again"
        }
        ImportError::Unfinished { .. } => "nobody renews it until then: try the same with --move again",
        _ => return None,
    };
    Some(text.to_owned())
}

fn engine_hint(error: &EngineError) -> Option<String> {
    match error {
        EngineError::NotFound { hint: advice, .. } => Some(advice.clone()),
        EngineError::NoImage { .. } => {
            Some("pull or build it first: its name must be the engine's own".into())
        }
        EngineError::Build { tail, .. } if !tail.is_empty() => {
            Some(format!("the end of the build's output:\n{tail}"))
        }
        _ => None,
    }
}

fn refresh_hint(error: &RefreshError) -> Option<String> {
    let again = match error.address() {
        Some(address) => format!("log in again with: authenticate login default {}", address.arguments()),
        None => "log in again".to_owned(),
    };
    match error {
        RefreshError::OutcomeUnknown { .. } => Some(format!(
            "{again}; or `refresh --force` sends the same token once more, which a vendor may take for a theft"
        )),
        RefreshError::NotStored { .. } => {
            Some(format!("the token to renew it with is lost: as soon as the store can be written, {again}"))
        }
        RefreshError::Container { source, .. } => match &**source {
            LoginError::Engine(error) => engine_hint(error),
            error => login_hint(error),
        },
        RefreshError::Cli { .. } => {
            Some(format!("see whether the vendor can be reached and try again; if it stays so, {again}"))
        }
        error if error.needs_login() => Some(again),
        _ => None,
    }
}

fn login_hint(error: &LoginError) -> Option<String> {
    match error {
        LoginError::BadKey { forceable: true, .. } => Some("--force stores it all the same".into()),
        LoginError::Fields(error) => error.hint(),
        LoginError::NoSuchMode { provider, mode, has, needs_client } => {
            let has: Vec<String> = has.iter().map(|mode| format!("--mode {mode}")).collect();
            let own = match needs_client {
                true => format!(
                    "; with a client of your own, set `{mode}: {{client_id: ..}}` and `modes` in providers/{provider}.yaml"
                ),
                false => String::new(),
            };
            Some(format!("use {}{own}", has.join(" or ")))
        }
        LoginError::Import(error) => import_hint(error),
        LoginError::NotStored { .. } => Some(
            "log in again as soon as the store can be written; the vendor may list this login until it ends"
                .into(),
        ),
        LoginError::NothingCaptured { because: Some(because), .. } => Some(because.to_string()),
        LoginError::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => {
            Some("log in from a terminal, where the redirect can be pasted".into())
        }
        LoginError::PortTaken(_) => {
            Some("end that program, or log in from a terminal, where the redirect can be pasted".into())
        }
        _ => None,
    }
}
