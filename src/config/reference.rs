//! Where a secret is, in place of the secret.

use std::{env, fmt, io, path::PathBuf, str::FromStr};

use zeroize::Zeroizing;

use crate::{
    credential::{Name, Secret},
    fs::read::read_plain,
    provider::run_args::check_env_name,
};

/// No secret is longer.
const MAX: u64 = 64 * 1024;

/// A place that a secret is read from when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: a file, absolute or below the home directory (`~/..`). White space around the secret is not part of it.
    File(PathBuf),
    /// `credential:PROVIDER[:PROFILE]`: another credential of the same set.
    Credential {
        /// Its provider.
        provider: Name,
        /// Its profile.
        profile: Option<Name>,
    },
}

/// Why there is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ReferenceError {
    /// The field of the descriptor.
    pub field: String,
    /// What is wrong; never a value.
    pub problem: String,
}

impl FromStr for Reference {
    type Err = String;

    /// What is no reference is not repeated: it may be the secret itself.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) => check_env_name(name).map(|()| Self::Env(name.to_owned())),
            Some(("file", path)) if path.starts_with('/') || path.starts_with("~/") => {
                Ok(Self::File(path.into()))
            }
            Some(("file", _)) => Err("`file:` needs an absolute path, or one that starts with `~/`".into()),
            Some(("credential", target)) => {
                let (provider, profile) =
                    target.split_once(':').map_or((target, None), |(provider, profile)| (provider, Some(profile)));
                Ok(Self::Credential {
                    provider: provider.parse().map_err(|e: crate::credential::NameError| e.to_string())?,
                    profile: profile.map(str::parse).transpose().map_err(|e: crate::credential::NameError| e.to_string())?,
                })
            }
            _ => Err("is not a reference: a secret is never written here, but where it is, such as env:NAME or file:PATH".into()),
        }
    }
}

impl fmt::Display for Reference {
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

impl Reference {
    /// Reads the secret; `field` is named in errors. A credential is not read here.
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn read(&self, field: &str) -> Result<Secret, ReferenceError> {
        let secret = match self {
            Self::Env(name) => env::var(name).map(Zeroizing::new).map_err(|error| match error {
                env::VarError::NotPresent => format!("the environment variable {name} is not set"),
                env::VarError::NotUnicode(_) => format!("the environment variable {name} is not text"),
            }),
            Self::File(path) => {
                read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
            }
            Self::Credential { .. } => Err("a credential cannot be used here".into()),
        };
        let problem = match secret {
            Ok(secret) if secret.trim().is_empty() => format!("{self} is empty"),
            Ok(secret) => return Ok(Secret::new(secret.trim())),
            Err(problem) => problem,
        };
        Err(ReferenceError { field: field.to_owned(), problem })
    }
}

fn read(path: &std::path::Path) -> io::Result<Zeroizing<String>> {
    let path = match (path.strip_prefix("~"), env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        _ => path.to_owned(),
    };
    let bytes = Zeroizing::new(read_plain(&path, MAX)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not text (UTF-8)"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_where_and_never_what() {
        for good in [
            "env:ACME_SECRET",
            "file:/run/secrets/acme",
            "file:~/acme",
            "credential:gh",
            "credential:gh:work",
        ] {
            assert_eq!(good.parse::<Reference>().expect(good).to_string(), good);
        }
        for bad in [
            "CANARY",
            "env:",
            "env:A=CANARY",
            "file:CANARY",
            "credential:",
            "credential:a/b",
            "literal:CANARY",
        ] {
            let problem = bad.parse::<Reference>().expect_err(bad);
            assert!(bad.starts_with("env:A") || !problem.contains("CANARY"), "{problem}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = Reference::Env("AUTHENTICATE_TEST_NOT_SET".into()).read("device.client_secret");
        let text = error.expect_err("not set").to_string();
        assert_eq!(
            text,
            "device.client_secret: the environment variable AUTHENTICATE_TEST_NOT_SET is not set"
        );
        let error = Reference::File("/nonexistent/secret".into()).read("x").expect_err("no file");
        assert!(error.to_string().starts_with("x: cannot read /nonexistent/secret: "), "{error}");
    }

    /// Half a secret is not one.
    #[test]
    fn a_file_that_is_too_long_is_refused_and_not_cut() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), vec![b'x'; 64 * 1024]).expect("written");
        assert_eq!(Reference::File(file.path().into()).read("x"), Ok("x".repeat(64 * 1024).into()));
        std::fs::write(file.path(), vec![b'x'; 64 * 1024 + 1]).expect("written");
        let error = Reference::File(file.path().into()).read("x").expect_err("too long").to_string();
        assert!(error.ends_with(": it is larger than 65536 bytes"), "{error}");
    }

    #[test]
    fn a_file_is_read_without_the_white_space_around_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        std::fs::write(&path, " s3cret\n").expect("written");
        assert_eq!(Reference::File(path.clone()).read("x"), Ok("s3cret".into()));
        std::fs::write(&path, "\n").expect("written");
        assert!(Reference::File(path).read("x").expect_err("empty").to_string().ends_with("is empty"));
    }
}
