//! The choice of an engine, as `--engine` and project files state it.

use std::str::FromStr;

use super::EngineError;
use crate::redact;

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

impl FromStr for EngineSelector {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        match text {
            url if redact::has_userinfo(url) => Err(EngineError::UserInUrl(redact::redact_url(url))),
            "docker" => Ok(Self::Docker),
            "podman" => Ok(Self::Podman),
            url if ["unix://", "tcp://", "http://"].iter().any(|s| url.starts_with(s) && url != *s) => {
                Ok(Self::Url(url.to_owned()))
            }
            path if path.starts_with('/') => Ok(Self::Url(format!("unix://{path}"))),
            other => Err(EngineError::BadUrl(redact::quote(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selector_parses_products_urls_and_paths_only() {
        assert_eq!("podman".parse::<EngineSelector>().ok(), Some(EngineSelector::Podman));
        assert!(matches!("tcp://u:p@127.0.0.1:1".parse::<EngineSelector>(), Err(EngineError::UserInUrl(_))));
        assert_eq!(
            "/x.sock".parse::<EngineSelector>().ok(),
            Some(EngineSelector::Url("unix:///x.sock".into()))
        );
        for bad in ["dokcer", "", "ssh://host", "unix://"] {
            assert!(bad.parse::<EngineSelector>().is_err(), "{bad}");
        }
    }
}
