//! Who renews a stored credential, and whether anybody can.

use std::time::Duration;

use super::{RefreshError, limits, server};
use crate::{
    credential::{Credential, Owner, Record},
    login::oauth::regrant,
    oauth::{Origin, TokenEndpoint},
    provider::{Mode, Provider, Registry, Unusable, descriptor::RefreshStrategy},
};

/// Who renews.
pub(super) enum RefreshMethod {
    Server(Box<TokenEndpoint>),
    Regrant(Box<TokenEndpoint>, Mode),
    Cli,
}

impl RefreshMethod {
    /// How long somebody else is waited for who renews.
    pub fn time_limit(&self) -> Duration {
        match self {
            Self::Server(_) | Self::Regrant(..) => limits::BY_SERVER,
            Self::Cli => limits::BY_CLI,
        }
    }
}

/// How a stored credential is renewed, by its provider's descriptor or, of a native login, by what is kept beside it.
pub(super) fn refresh_method(provider: &Provider, record: &Record) -> Result<RefreshMethod, RefreshError> {
    let not = |why| not_refreshable(record, why);
    let descriptor = |source| RefreshError::Descriptor { provider: provider.name.clone(), source };
    let Credential::OAuth(oauth) = &record.credential else {
        return Err(not("only an OAuth login can be"));
    };
    if record.metadata.owner != Owner::Us {
        return Err(not("it belongs to the vendor's own tool, from which it was imported"));
    }
    // Tokens go back to where they came from, whatever the descriptor says by now.
    if let Some(origin) = Origin::of(oauth) {
        let endpoint = Box::new(origin.endpoint().map_err(descriptor)?);
        return match (server::has_refresh_token(oauth), regrant::is_non_interactive(origin.mode)) {
            (true, _) => Ok(RefreshMethod::Server(endpoint)),
            (false, true) => Ok(RefreshMethod::Regrant(endpoint, origin.mode)),
            (false, false) => Err(not("the vendor gave it no refresh token")),
        };
    }
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    match strategy {
        Some(RefreshStrategy::Command) => return Ok(RefreshMethod::Cli),
        Some(RefreshStrategy::None) => return Err(not("its provider does not renew logins")),
        Some(RefreshStrategy::Oauth) | None => {}
    }
    let endpoint = server::endpoint(provider)
        .map_err(descriptor)?
        .ok_or_else(|| not("its provider's descriptor does not say how"))?;
    match server::has_refresh_token(oauth) {
        true => Ok(RefreshMethod::Server(Box::new(endpoint))),
        false => Err(not("the vendor gave it no refresh token")),
    }
}

pub(super) fn not_refreshable(record: &Record, why: &'static str) -> RefreshError {
    RefreshError::NotRefreshable { address: Box::new(record.address.clone()), why }
}

/// Whether a stored credential can be renewed, as far as that is known without trying. What is wrong with a descriptor is
/// to be said when it is tried.
pub(crate) fn is_refreshable(registry: &Registry, record: &Record) -> bool {
    match registry.usable(record.address.provider.as_str()) {
        Ok(provider) => !matches!(refresh_method(provider, record), Err(RefreshError::NotRefreshable { .. })),
        Err(Unusable::Wrong(_)) => record.metadata.owner == Owner::Us,
        Err(Unusable::Unknown(_)) => false,
    }
}

/// The provider of a stored credential, whose tokens may be sent where it says.
///
/// # Errors
/// [`RefreshError::InvalidDescriptor`], [`RefreshError::NotRefreshable`]
pub fn provider_of<'a>(registry: &'a Registry, record: &Record) -> Result<&'a Provider, RefreshError> {
    registry.usable(record.address.provider.as_str()).map_err(|error| match error {
        Unusable::Wrong(problems) => RefreshError::InvalidDescriptor(problems),
        Unusable::Unknown(_) => not_refreshable(record, "its provider is not known any more"),
    })
}
