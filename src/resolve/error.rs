//! Errors of resolving a request to a credential.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::{
    context::ConfigError,
    credential::{Address, Owner},
    error_kind::ErrorKind,
    redact,
    refresh::RefreshError,
    store::StoreError,
};

/// An error of resolving a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nothing is stored at the address, and nothing is in the environment.
    #[error("no credential for {}", address.redacted())]
    NotFound {
        /// The address that was asked for.
        address: Box<Address>,
        /// The provider may work without a key.
        key_optional: bool,
    },
    /// The stored credential has blank fields, and no variable fills them.
    #[error("no credential for {address}")]
    Incomplete {
        /// The credential.
        address: Box<Address>,
        /// The variables that would fill it.
        variables: Vec<String>,
    },
    /// An environment variable that should hold the credential holds something else.
    #[error("the environment variable {name} holds no credential: {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// The problem with its value; never the value.
        problem: &'static str,
    },
    /// The credential has expired, and was not refreshed.
    #[error("the credential for {address} expired {} ago", ago(*.since))]
    Expired {
        /// The credential.
        address: Box<Address>,
        /// The end of its lifetime.
        since: Timestamp,
        /// The owner of the login: who refreshes it.
        owner: Owner,
        /// The directory from which an import was taking the login over, and did not finish.
        move_source: Option<PathBuf>,
    },
    /// Several accounts are stored, and the request names none.
    #[error("several accounts of {provider} are stored: {}", spell_profiles(.provider, .profiles))]
    SeveralAccounts {
        /// The provider.
        provider: String,
        /// The profiles of the accounts.
        profiles: Vec<String>,
    },
    /// The credential has several fields, and the request names none.
    #[error("{address} has several fields: {}", .fields.join(", "))]
    SeveralFields {
        /// The credential.
        address: Box<Address>,
        /// Its fields.
        fields: Vec<String>,
    },
    /// The credential has no field of this name.
    #[error("{what} has no field {}{}", redact::quote(.field), list_fields(.fields))]
    NoField {
        /// The credential or provider.
        what: String,
        /// The field that was asked for.
        field: String,
        /// Its fields.
        fields: Vec<String>,
    },
    /// The field is neither stored nor in the environment.
    #[error("field {field} of {address} is blank{}", unset(.variable))]
    BlankField {
        /// The credential.
        address: Box<Address>,
        /// The field.
        field: String,
        /// The variable that would fill it.
        variable: Option<String>,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The credential has expired, and its refresh failed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResolveError {
    /// The short word for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        self.kind_and_code().1
    }

    /// The class of the error, and the short word for the audit log.
    pub(crate) fn kind_and_code(&self) -> (ErrorKind, &'static str) {
        match self {
            Self::NotFound { .. } | Self::Incomplete { .. } | Self::BlankField { .. } => {
                (ErrorKind::NoCredential, "incomplete")
            }
            Self::Expired { .. } => (ErrorKind::NoCredential, "expired"),
            Self::Variable { .. } => (ErrorKind::NoCredential, "failed"),
            Self::SeveralFields { .. } => (ErrorKind::InvalidInput, "several_fields"),
            Self::SeveralAccounts { .. } => (ErrorKind::InvalidInput, "failed"),
            Self::NoField { .. } => (ErrorKind::InvalidInput, "no_field"),
            Self::Config(ConfigError::Name(_) | ConfigError::UnknownProvider(_)) => {
                (ErrorKind::InvalidInput, "failed")
            }
            Self::Config(_) => (ErrorKind::InvalidInput, "configuration"),
            Self::Refresh(error) => error.kind_and_code(),
            Self::Store(error) => error.kind_and_code(),
        }
    }
}

fn ago(since: Timestamp) -> String {
    let ago = SignedDuration::from_secs(crate::clock::now().duration_since(since).as_secs());
    format!("{ago:#}")
}

fn spell_profiles(provider: &str, profiles: &[String]) -> String {
    profiles.iter().map(|profile| format!("{provider}:{profile}")).collect::<Vec<_>>().join(", ")
}

fn list_fields(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!("; it has {}", fields.join(", ")) }
}

fn unset(variable: &Option<String>) -> String {
    variable.as_ref().map(|variable| format!(", and {variable} is not set")).unwrap_or_default()
}
