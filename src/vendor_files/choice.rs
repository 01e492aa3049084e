//! The choice among the logins of a file.

use super::{error::CaptureError, extract::Login};
use crate::{provider::capture_map::Part, redact::escape};

/// Limit of the logins that an error names.
const MAX_NAMES: usize = 8;

/// A choice among the logins of a file. By default it is the provider's own and, where the file tells, the one that the
/// vendor's tool uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its key in the file, its account, or the other provider that it is for.
    pub entry: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// Accept the login of another provider.
    pub any_provider: bool,
}

/// The outcome of a choice.
pub(super) enum Found {
    One(Login),
    /// The names of the logins that were not chosen.
    Others(Vec<String>),
}

impl Choice {
    /// Accepts the login of any provider.
    pub fn any_provider() -> Self {
        Self { any_provider: true, ..Self::default() }
    }

    /// Chooses a login.
    ///
    /// # Errors
    /// [`CaptureError::Ambiguous`]
    pub(super) fn choose(&self, file: &str, logins: Vec<Login>) -> Result<Found, CaptureError> {
        let all: Vec<String> = logins.iter().map(Login::name).collect();
        let mut chosen: Vec<Login> = logins.into_iter().filter(|login| self.allows(login)).collect();
        let is_active = |login: &Login| login.is_active != Some(false);
        let is_default = self.entry.is_none() && self.host.is_none();
        if is_default || (chosen.len() > 1 && chosen.iter().any(is_active)) {
            chosen.retain(is_active);
        }
        if chosen.iter().any(|login| login.is_preferred) {
            chosen.retain(|login| login.is_preferred);
        }
        match &chosen[..] {
            [] | [_] => Ok(chosen.pop().map_or(Found::Others(all), Found::One)),
            [..] => {
                let logins = names(chosen.iter().map(Login::name).collect());
                Err(CaptureError::Ambiguous { file: file.to_owned(), logins })
            }
        }
    }

    fn allows(&self, login: &Login) -> bool {
        let account = login.parts.label(&Part::Account);
        let host = login.parts.label(&Part::Host);
        let is_entry = |name: &String| {
            let keys = login.keys.iter().flatten();
            login.provider.as_ref() == Some(name)
                || account == Some(name)
                || keys.into_iter().any(|key| key == name)
        };
        // A host may be written as the URL of its root.
        let is_host =
            |name: &String| host.is_some_and(|host| host.rsplit("://").next() == name.rsplit("://").next());
        (self.any_provider || login.provider.is_none() || login.provider == self.entry)
            && self.entry.as_ref().is_none_or(is_entry)
            && self.host.as_ref().is_none_or(is_host)
    }
}

impl Login {
    /// The name by which it can be chosen.
    fn name(&self) -> String {
        let label = |part| self.parts.label(&part);
        let keys = || self.keys.first().map(|keys| keys.join("/")).unwrap_or_default();
        let name = match (&self.provider, label(Part::Account), label(Part::Host)) {
            (Some(provider), ..) => provider.clone(),
            (None, Some(account), Some(host)) => format!("{account} at {host}"),
            (None, account, host) => account.or(host).map_or_else(keys, str::to_owned),
        };
        escape(name.as_bytes())
    }
}

/// The first of the names, each once.
pub(super) fn names(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names.truncate(MAX_NAMES);
    names
}
