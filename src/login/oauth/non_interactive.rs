//! The grants that involve no person: for a login, and repeated in place of a refresh.

use super::token_exchange;
use crate::{
    context::Context,
    credential::{Address, Secret},
    login::LoginError,
    oauth::{Http, LoginParameters, OAuthError, TokenEndpoint, Tokens, grant},
    provider::{Descriptor, Mode, flow::Flow},
    store::Store,
};

/// A grant that involves no person, with everything that it needs.
#[derive(Debug)]
pub struct NonInteractiveGrant {
    flow: Flow,
    /// The token to exchange; `None` for the client credentials grant (RFC 6749 section 4.4).
    subject: Option<Secret>,
}

/// Whether a mode's grant involves no person.
pub fn is_non_interactive(mode: Mode) -> bool {
    matches!(mode, Mode::ClientCredentials | Mode::TokenExchange)
}

impl NonInteractiveGrant {
    /// Prepares a grant from the current descriptor. `None` if that does not have the mode.
    ///
    /// # Errors
    /// Those of [`token_exchange::subject`].
    pub fn of(
        provider: &Descriptor,
        mode: Mode,
        address: &Address,
        context: &Context,
        store: &Store,
    ) -> Result<Option<Self>, LoginError> {
        let Some(flow) = provider.flow(mode).filter(|_| is_non_interactive(mode)) else { return Ok(None) };
        let subject = match mode {
            Mode::TokenExchange => Some(token_exchange::subject(flow, address, context, store)?),
            _ => None,
        };
        Ok(Some(Self { flow: flow.clone(), subject }))
    }

    /// Requests scopes and parameters of an earlier login in place of the descriptor's.
    pub fn with(mut self, login: LoginParameters) -> Self {
        (self.flow.scopes, self.flow.parameters) = (login.scopes, login.parameters);
        self
    }

    /// Requests the tokens.
    ///
    /// # Errors
    /// [`OAuthError`]
    pub async fn run(&self, http: &Http, endpoint: &TokenEndpoint) -> Result<Tokens, OAuthError> {
        let flow = &self.flow;
        match &self.subject {
            Some(subject) => grant::exchange_token(http, endpoint, flow, subject).await,
            None => grant::client_credentials(http, endpoint, flow).await,
        }
    }
}
