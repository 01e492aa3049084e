//! Errors of looking up a provider.

use crate::config::yaml::{self, Problem};

/// A name that is neither a provider nor an alias.
#[derive(Debug, thiserror::Error)]
#[error("unknown provider {name}{}", did_you_mean(.nearest))]
pub struct UnknownProvider {
    /// The name, as far as it may be shown.
    pub name: String,
    /// The known name nearest to it.
    pub nearest: Option<String>,
    /// All known names.
    pub known: Vec<String>,
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

/// The reason why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is no such provider.
    #[error(transparent)]
    Unknown(#[from] UnknownProvider),
    /// A file of the provider's descriptor has problems.
    #[error("{}", yaml::join(.0))]
    Wrong(Vec<Problem>),
}
