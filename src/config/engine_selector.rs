//! The choice of a container engine, as `--engine` and a project's file spell it.

use std::str::FromStr;

use crate::redact;

/// The reason why a URL with credentials is refused.
pub(crate) const NO_USER_IN_URL: &str =
    "the URL of an engine must not contain a password, and a user name only with ssh://";

/// Whether the URL of an engine contains a password, or a user where none has a meaning.
pub(crate) fn has_secret(url: &str) -> bool {
    let user = url.strip_prefix("ssh://").and_then(|rest| rest.split(['/', '#']).next()?.split_once('@'));
    redact::has_userinfo(url) && user.is_none_or(|(user, _)| user.contains(':'))
}

/// The beginnings of URLs.
const SCHEMES: [&str; 5] = ["unix://", "tcp://", "http://", "https://", "ssh://"];

/// The engine to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EngineSelector {
    /// The first engine that answers.
    #[default]
    Any,
    /// Docker, at `DOCKER_HOST` or one of its usual sockets.
    Docker,
    /// Podman, at `CONTAINER_HOST` or one of its usual sockets.
    Podman,
    /// The engine at this URL.
    Url(String),
}

/// The reason why a text does not select an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineSelectorError {
    /// The text is neither a product nor a URL.
    #[error(
        "{0} is not an engine: use docker, podman, or a URL (unix:///path, ssh://USER@HOST, tcp://HOST:PORT#CERTIFICATES, tcp://127.0.0.1:PORT)"
    )]
    BadUrl(
        /// The text, as far as it may be shown.
        String,
    ),
    /// The URL contains a user or a password.
    #[error("{0}: {NO_USER_IN_URL}")]
    UserInUrl(
        /// The URL without them.
        String,
    ),
}

impl FromStr for EngineSelector {
    type Err = EngineSelectorError;

    fn from_str(text: &str) -> Result<Self, EngineSelectorError> {
        match text {
            url if has_secret(url) => Err(EngineSelectorError::UserInUrl(redact::redact_url(url))),
            "docker" => Ok(Self::Docker),
            "podman" => Ok(Self::Podman),
            url if SCHEMES.iter().any(|s| url.starts_with(s) && url != *s) => Ok(Self::Url(url.to_owned())),
            path if path.starts_with('/') => Ok(Self::Url(format!("unix://{path}"))),
            other => Err(EngineSelectorError::BadUrl(redact::quote(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_selected_by_product_url_or_socket_path() {
        assert_eq!("podman".parse(), Ok(EngineSelector::Podman));
        assert_eq!("tcp://127.0.0.1:1".parse(), Ok(EngineSelector::Url("tcp://127.0.0.1:1".into())));
        assert_eq!("/x.sock".parse(), Ok(EngineSelector::Url("unix:///x.sock".into())));
    }

    #[test]
    fn engine_with_unknown_name_or_credentials_is_refused() {
        assert_eq!("ssh://me@host".parse(), Ok(EngineSelector::Url("ssh://me@host".into())));
        let refused = "ssh://me:p@host".parse::<EngineSelector>();
        assert_eq!(refused, Err(EngineSelectorError::UserInUrl("ssh://...@host".into())));
        let refused = "tcp://u:p@127.0.0.1:1".parse::<EngineSelector>();
        assert_eq!(refused, Err(EngineSelectorError::UserInUrl("tcp://...@127.0.0.1:1".into())));
        for bad in ["dokcer", "", "ftp://host", "unix://"] {
            assert!(matches!(bad.parse::<EngineSelector>(), Err(EngineSelectorError::BadUrl(_))), "{bad}");
        }
    }
}
