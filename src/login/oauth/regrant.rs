//! Repeating a grant that involves no person, in place of a refresh.

use super::{client_credentials, token_exchange};
use crate::{
    context::Context,
    credential::{Address, Secret},
    login::LoginError,
    oauth::{Http, OAuthError, TokenEndpoint, Tokens},
    provider::{Descriptor, Mode, flow::Flow},
    store::Store,
};

/// A grant to repeat, with everything that it needs.
#[derive(Debug)]
pub struct Regrant {
    flow: Flow,
    subject: Option<Secret>,
}

/// Whether a mode's grant involves no person.
pub fn is_non_interactive(mode: Mode) -> bool {
    matches!(mode, Mode::ClientCredentials | Mode::TokenExchange)
}

impl Regrant {
    /// Prepares a grant from the current descriptor. `None` when that no longer has the mode.
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

    /// Repeats the grant at the endpoint that issued the tokens.
    ///
    /// # Errors
    /// [`OAuthError`]
    pub async fn run(&self, http: &Http, endpoint: &TokenEndpoint) -> Result<Tokens, OAuthError> {
        match &self.subject {
            Some(subject) => token_exchange::grant(http, &self.flow, endpoint, subject).await,
            None => client_credentials::grant(http, &self.flow, endpoint).await,
        }
    }
}
