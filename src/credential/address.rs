//! The names by which credentials are addressed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::redact;

/// The set and the profile that are meant when none is named.
pub const DEFAULT: &str = "default";

/// A project, set, provider or profile name: 1 to 64 of `A-Z a-z 0-9 . _ @ + -`, not starting with `.` or `-`.
///
/// Such a name is safe as one path segment, as part of a container's name and on a command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0} is not a name: use 1 to 64 letters, digits, `.`, `_`, `@`, `+` or `-`, not starting with `.` or `-`"
)]
pub struct NameError(
    /// What was given, as far as it may be shown.
    String,
);

impl Name {
    /// The name `default`.
    pub fn default_name() -> Self {
        Self(DEFAULT.to_owned())
    }

    /// The name as text.
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

/// Where a credential is: its set, its provider and its profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The credential set.
    pub set: Name,
    /// The provider's name (never an alias).
    pub provider: Name,
    /// The account among several of one provider.
    pub profile: Name,
}

impl Address {
    /// The address of the default profile of `provider` in the default set.
    pub fn default_profile(provider: Name) -> Self {
        Self { set: Name::default_name(), provider, profile: Name::default_name() }
    }

    /// As arguments of our command line: `claude:work --set team`.
    pub fn arguments(&self) -> String {
        let profile = if self.profile.as_str() == DEFAULT { "" } else { &format!(":{}", self.profile) };
        let set = if self.set.as_str() == DEFAULT { "" } else { &format!(" --set {}", self.set) };
        format!("{}{profile}{set}", self.provider)
    }

    /// As it is written, of one at which there is nothing: then its names are what somebody typed, and what could be a key
    /// is not repeated.
    pub fn redacted(&self) -> String {
        self.written(redact::redact_name)
    }

    fn written<'a>(&'a self, shown: impl Fn(&'a str) -> &'a str) -> String {
        let mut text = shown(self.provider.as_str()).to_owned();
        if self.profile.as_str() != DEFAULT {
            text.push_str(&format!(":{}", shown(self.profile.as_str())));
        }
        if self.set.as_str() != DEFAULT {
            text.push_str(&format!(" (set {})", shown(self.set.as_str())));
        }
        text
    }
}

/// Written as people write it: `codex`, `claude:work`, and with the set where it is not the default one:
/// `claude:work (set team)`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(|name| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_safe_path_segment() {
        for good in ["codex", "z.ai", "me@example.com", "Team_1", "a"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "a/b", "a b", "a\0", "é", &"x".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
