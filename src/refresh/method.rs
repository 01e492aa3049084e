//! The methods of refreshing a stored credential.

use std::time::Duration;

use super::{RefreshError, limits, server};
use crate::{
    context::{ConfigError, Context},
    credential::{Credential, Kind, Owner, Record, Secret},
    login::oauth::non_interactive::is_non_interactive,
    oauth::{LoginParameters, TokenEndpoint, TokenOrigin},
    provider::{Mode, Provider, Registry, Unusable, descriptor::RefreshStrategy},
};

/// The method of refreshing a credential.
pub(super) enum RefreshMethod {
    /// This refresh token goes to the token endpoint, with parameters of its login.
    Token(Box<TokenEndpoint>, Secret, LoginParameters),
    /// A grant that needs no person, of this mode, is made again at the token endpoint.
    Grant(Box<TokenEndpoint>, Mode, LoginParameters),
    /// The vendor's own CLI does it, in a container.
    Cli,
}

impl RefreshMethod {
    /// The longest time to wait for another process that uses this method.
    pub(super) fn time_limit(&self) -> Duration {
        match self {
            Self::Token(..) | Self::Grant(..) => limits::BY_SERVER,
            Self::Cli => limits::BY_CLI,
        }
    }

    /// Whether the vendor consumes a refresh token.
    pub(super) fn consumes_token(&self) -> bool {
        !matches!(self, Self::Grant(..))
    }
}

/// Finds the method for a stored credential: from the origin stored with the tokens of an OAuth flow, or else from its
/// provider's descriptor.
pub(super) fn refresh_method(provider: &Provider, record: &Record) -> Result<RefreshMethod, RefreshError> {
    let not = |why| not_refreshable(record, why);
    let descriptor = |source| RefreshError::Descriptor { provider: provider.name.clone(), source };
    let Credential::OAuth(oauth) = &record.credential else {
        return Err(not("only an OAuth login can be refreshed"));
    };
    if record.metadata.owner != Owner::Us {
        return Err(not("it belongs to the vendor's own tool, from which it was imported"));
    }
    let token = oauth.refresh_token.as_ref().filter(|token| !token.is_empty());
    // Tokens go only to the server that issued them, whatever the descriptor says now.
    if let Some(origin) = TokenOrigin::of(oauth) {
        let endpoint = Box::new(origin.endpoint().map_err(descriptor)?);
        // An older version did not store the parameters.
        let described = || provider.flow(origin.mode).map(|flow| LoginParameters::of(flow, origin.mode));
        let parameters = origin.parameters.clone().or_else(described).unwrap_or_default();
        return match token {
            Some(token) => {
                let parameters = parameters.renewal(&record.metadata.scopes);
                Ok(RefreshMethod::Token(endpoint, token.clone(), parameters))
            }
            None if is_non_interactive(origin.mode) => {
                Ok(RefreshMethod::Grant(endpoint, origin.mode, parameters))
            }
            None => Err(not("the vendor gave it no refresh token")),
        };
    }
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    match strategy {
        Some(RefreshStrategy::Command) => return Ok(RefreshMethod::Cli),
        Some(RefreshStrategy::None) => return Err(not("its provider does not refresh logins")),
        Some(RefreshStrategy::Oauth) | None => {}
    }
    let endpoint = server::endpoint(provider)
        .map_err(descriptor)?
        .ok_or_else(|| not("its provider's descriptor has no `refresh`"))?;
    let parameters = provider.refresh.as_ref().map(|refresh| refresh.parameters.clone()).unwrap_or_default();
    let parameters = LoginParameters { parameters, ..LoginParameters::default() };
    match token {
        Some(token) => Ok(RefreshMethod::Token(Box::new(endpoint), token.clone(), parameters)),
        None => Err(not("the vendor gave it no refresh token")),
    }
}

pub(super) fn not_refreshable(record: &Record, why: &'static str) -> RefreshError {
    RefreshError::NotRefreshable { address: Box::new(record.address.clone()), why }
}

/// Whether it is worth trying to refresh a credential. A login that the vendor's own tool refreshes is not ours to refresh.
/// A wrong descriptor is reported when the refresh is tried.
pub(crate) fn may_refresh(context: &Context, record: &Record) -> bool {
    // Most credentials need no look into the descriptor.
    if record.credential.kind() != Kind::Oauth || record.metadata.owner != Owner::Us {
        return false;
    }
    let provider = record.address.provider.as_str();
    match context.registry_for(provider).usable(provider) {
        Ok(provider) => !matches!(refresh_method(provider, record), Err(RefreshError::NotRefreshable { .. })),
        Err(Unusable::Wrong(_)) => true,
        Err(Unusable::Unknown(_)) => false,
    }
}

/// The provider of a stored credential.
///
/// # Errors
/// [`RefreshError::Config`], [`RefreshError::NotRefreshable`]
pub(super) fn provider_of<'a>(registry: &'a Registry, record: &Record) -> Result<&'a Provider, RefreshError> {
    registry.usable(record.address.provider.as_str()).map_err(|error| match error {
        wrong @ Unusable::Wrong(_) => ConfigError::from(wrong).into(),
        Unusable::Unknown(_) => not_refreshable(record, "its provider is not known any more"),
    })
}
