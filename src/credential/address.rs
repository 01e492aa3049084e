//! Names and addresses of credentials.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::redact;

/// The name of the default credential set and of the default profile.
pub const DEFAULT: &str = "default";

/// A project, set, provider or profile name: 1 to 64 of `A-Z a-z 0-9 . _ @ + -`, not starting with `.` or `-`.
///
/// A name is safe as one path segment, as part of a container's name, and on a command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that is not a [`Name`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0} is not a name: use 1 to 64 letters, digits, `.`, `_`, `@`, `+` or `-`, not starting with `.` or `-`"
)]
pub struct NameError(
    /// The text, quoted and redacted.
    String,
);

impl Name {
    /// The name `default`.
    pub fn default_name() -> Self {
        Self(DEFAULT.to_owned())
    }

    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
        if text.is_empty() || text.len() > 64 || text.starts_with(['.', '-']) || !text.chars().all(allowed) {
            return Err(NameError(redact::quote(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The address of a credential: set, provider and profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The credential set.
    pub set: Name,
    /// The provider's name, never an alias.
    pub provider: Name,
    /// The name of one account among several of a provider.
    pub profile: Name,
}

impl Address {
    /// The default profile of `provider` in the default set.
    pub fn default_profile(provider: Name) -> Self {
        Self { set: Name::default_name(), provider, profile: Name::default_name() }
    }

    /// The displayed form, for an address where nothing is stored: its names were typed, so names that could be keys are
    /// redacted.
    pub fn redacted(&self) -> String {
        self.display_with(redact::redact_name)
    }

    /// The file name of this address's lock: `SET~PROVIDER~PROFILE.lock`. Unique, because no name contains `~`.
    pub(crate) fn lock_file_name(&self) -> String {
        format!("{}~{}~{}.lock", self.set, self.provider, self.profile)
    }

    fn display_with<'a>(&'a self, name: impl Fn(&'a str) -> &'a str) -> String {
        let mut text = name(self.provider.as_str()).to_owned();
        if self.profile.as_str() != DEFAULT {
            text.push_str(&format!(":{}", name(self.profile.as_str())));
        }
        if self.set.as_str() != DEFAULT {
            text.push_str(&format!(" (set {})", name(self.set.as_str())));
        }
        text
    }
}

/// Displays `codex`, `claude:work`, or with a set other than the default `claude:work (set team)`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display_with(|name| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_accepts_only_safe_path_segments() {
        for good in ["codex", "z.ai", "me@example.com", "Team_1", "a"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "a/b", "a b", "a\0", "é", &"x".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
