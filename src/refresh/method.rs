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
pub(super) enum Way {
    Server(Box<TokenEndpoint>),
    Again(Box<TokenEndpoint>, Mode),
    Cli,
}

impl Way {
    /// How long somebody else is waited for who renews.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Server(_) | Self::Again(..) => limits::BY_SERVER,
            Self::Cli => limits::BY_CLI,
        }
    }
}

/// How a stored credential is renewed, by its provider's descriptor or, of a native login, by what is kept beside it.
pub(super) fn way(provider: &Provider, record: &Record) -> Result<Way, RefreshError> {
    let not = |why| not(record, why);
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
        return match (server::can_renew(oauth), regrant::asks_nobody(origin.mode)) {
            (true, _) => Ok(Way::Server(endpoint)),
            (false, true) => Ok(Way::Again(endpoint, origin.mode)),
            (false, false) => Err(not("the vendor gave it no refresh token")),
        };
    }
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    match strategy {
        Some(RefreshStrategy::Command) => return Ok(Way::Cli),
        Some(RefreshStrategy::None) => return Err(not("its provider does not renew logins")),
        Some(RefreshStrategy::Oauth) | None => {}
    }
    let endpoint = server::endpoint(provider)
        .map_err(descriptor)?
        .ok_or_else(|| not("its provider's descriptor does not say how"))?;
    match server::can_renew(oauth) {
        true => Ok(Way::Server(Box::new(endpoint))),
        false => Err(not("the vendor gave it no refresh token")),
    }
}

pub(super) fn not(record: &Record, why: &'static str) -> RefreshError {
    RefreshError::NotRenewable { address: Box::new(record.address.clone()), why }
}

/// Whether a stored credential can be renewed, as far as that is known without trying. What is wrong with a descriptor is
/// to be said when it is tried.
pub(crate) fn is_possible(registry: &Registry, record: &Record) -> bool {
    match registry.sound(record.address.provider.as_str()) {
        Ok(provider) => !matches!(way(provider, record), Err(RefreshError::NotRenewable { .. })),
        Err(Unusable::Wrong(_)) => record.metadata.owner == Owner::Us,
        Err(Unusable::Unknown(_)) => false,
    }
}

/// The provider of a stored credential, whose tokens may be sent where it says.
///
/// # Errors
/// [`RefreshError::Wrong`], [`RefreshError::NotRenewable`]
pub fn provider_of<'a>(registry: &'a Registry, record: &Record) -> Result<&'a Provider, RefreshError> {
    registry.sound(record.address.provider.as_str()).map_err(|error| match error {
        Unusable::Wrong(problems) => RefreshError::Wrong(problems),
        Unusable::Unknown(_) => not(record, "its provider is not known any more"),
    })
}
