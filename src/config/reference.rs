//! References to secrets: a descriptor says where a secret is and never contains it.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use zeroize::Zeroizing;

use super::container_values::check_env_name;
use crate::{
    credential::{Name, NameError, Secret, secret::without_mark},
    fs::read,
};

/// The largest secret that a file may hold, in bytes.
const MAX: u64 = 64 * 1024;

/// A place that a secret is read from when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: a file, absolute or below the home directory (`~/..`). White space around the secret is
    /// removed.
    File(PathBuf),
    /// `credential:PROVIDER[:PROFILE]`: another credential of the same set.
    Credential {
        /// The credential's provider.
        provider: Name,
        /// The credential's profile.
        profile: Option<Name>,
    },
}

/// The reason why a reference gives no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ReferenceError {
    /// The field that holds the reference.
    pub field: String,
    /// The problem; never contains a value.
    pub problem: String,
}

impl FromStr for SecretReference {
    type Err = String;

    /// Parses a reference. The error does not repeat other text: it may be the secret itself.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) => check_env_name(name).map(|()| Self::Env(name.to_owned())),
            Some(("file", path)) if path.starts_with('/') || path.starts_with("~/") => {
                Ok(Self::File(path.into()))
            }
            Some(("file", _)) => Err("`file:` needs an absolute path, or one that starts with `~/`".into()),
            Some(("credential", target)) => credential(target).map_err(|error| error.to_string()),
            _ => Err("is not a reference: write where the secret is (env:NAME or file:PATH), \
                      never the secret itself"
                .into()),
        }
    }
}

fn credential(target: &str) -> Result<SecretReference, NameError> {
    let (provider, profile) = match target.split_once(':') {
        Some((provider, profile)) => (provider, Some(profile)),
        None => (target, None),
    };
    Ok(SecretReference::Credential {
        provider: provider.parse()?,
        profile: profile.map(str::parse).transpose()?,
    })
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential { provider, profile: None } => write!(f, "credential:{provider}"),
            Self::Credential { provider, profile: Some(profile) } => {
                write!(f, "credential:{provider}:{profile}")
            }
        }
    }
}

impl SecretReference {
    /// Reads the secret from a variable or a file. A stored credential is read elsewhere, and an error here.
    ///
    /// # Errors
    /// [`ReferenceError`] that names `field`.
    pub fn read(&self, field: &str) -> Result<Secret, ReferenceError> {
        let secret = match self {
            Self::Env(name) => read_env(name),
            Self::File(path) => read_file(path),
            Self::Credential { .. } => Err("a credential cannot be used here".into()),
        };
        secret.map_err(|problem| ReferenceError { field: field.to_owned(), problem })
    }
}

/// Reads an environment variable, without the white space around its content.
pub(super) fn read_env(name: &str) -> Result<Secret, String> {
    let content = env::var(name).map(Zeroizing::new).map_err(|error| match error {
        env::VarError::NotPresent => format!("the environment variable {name} is not set"),
        env::VarError::NotUnicode(_) => format!("the environment variable {name} is not UTF-8"),
    })?;
    trimmed(&content).ok_or_else(|| format!("env:{name} is empty"))
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let content = read_text(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    trimmed(&content).ok_or_else(|| format!("file:{} is empty", path.display()))
}

fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let path = match (path.strip_prefix("~"), env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        _ => path.to_owned(),
    };
    let bytes = Zeroizing::new(read::read_plain(&path, MAX)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn trimmed(content: &str) -> Option<Secret> {
    let content = without_mark(content).trim();
    (!content.is_empty()).then(|| Secret::new(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_of_each_kind_is_parsed_and_displayed() {
        for good in [
            "env:ACME_SECRET",
            "file:/run/secrets/acme",
            "file:~/acme",
            "credential:gh",
            "credential:gh:work",
        ] {
            assert_eq!(good.parse::<SecretReference>().expect(good).to_string(), good);
        }
    }

    #[test]
    fn text_that_is_no_reference_is_refused_and_not_repeated() {
        for bad in [
            "CANARY",
            "env:",
            "env:A=CANARY",
            "file:CANARY",
            "credential:",
            "credential:a/b",
            "literal:CANARY",
        ] {
            let problem = bad.parse::<SecretReference>().expect_err(bad);
            assert!(bad.starts_with("env:A") || !problem.contains("CANARY"), "{problem}");
        }
    }

    #[test]
    fn secret_that_is_missing_is_named() {
        let error = SecretReference::Env("AUTHENTICATE_TEST_NOT_SET".into()).read("device.client_secret");
        let text = error.expect_err("not set").to_string();
        assert_eq!(
            text,
            "device.client_secret: the environment variable AUTHENTICATE_TEST_NOT_SET is not set"
        );
        let error = SecretReference::File("/nonexistent/secret".into()).read("x").expect_err("no file");
        assert!(error.to_string().starts_with("x: cannot read /nonexistent/secret: "), "{error}");
    }

    #[test]
    fn file_over_the_limit_is_refused_and_not_cut() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), vec![b'x'; 64 * 1024]).expect("written");
        assert_eq!(SecretReference::File(file.path().into()).read("x"), Ok("x".repeat(64 * 1024).into()));
        std::fs::write(file.path(), vec![b'x'; 64 * 1024 + 1]).expect("written");
        let error = SecretReference::File(file.path().into()).read("x").expect_err("too long").to_string();
        assert!(error.ends_with(": it is larger than 65536 bytes"), "{error}");
    }

    #[test]
    fn file_is_read_without_the_white_space_around_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        for content in [" s3cret\n", "\u{feff}s3cret\r\n"] {
            std::fs::write(&path, content).expect("written");
            assert_eq!(SecretReference::File(path.clone()).read("x"), Ok("s3cret".into()));
        }
        std::fs::write(&path, "\n").expect("written");
        let error = SecretReference::File(path).read("x").expect_err("empty");
        assert!(error.to_string().ends_with("is empty"), "{error}");
    }
}
