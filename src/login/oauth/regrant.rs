//! Getting a credential anew by a grant that asks nobody.

use super::{client_credentials, token_exchange};
use crate::{
    config::Paths,
    credential::{Address, Secret},
    login::LoginError,
    oauth::{Http, OAuthError, TokenEndpoint, Tokens},
    provider::{Descriptor, Mode, flow::Flow},
    store::Store,
};

/// A grant that can be made again, with all that it needs.
#[derive(Debug)]
pub struct Regrant {
    flow: Flow,
    subject: Option<Secret>,
}

/// Whether a mode's grant asks nobody.
pub fn is_non_interactive(mode: Mode) -> bool {
    matches!(mode, Mode::ClientCredentials | Mode::TokenExchange)
}

impl Regrant {
    /// Reads what the descriptor says by now. `None` when it has no such mode any more.
    ///
    /// # Errors
    /// As [`token_exchange::subject`].
    pub fn of(
        provider: &Descriptor,
        mode: Mode,
        address: &Address,
        paths: &Paths,
        store: &Store,
    ) -> Result<Option<Self>, LoginError> {
        let Some(flow) = provider.flow(mode).filter(|_| is_non_interactive(mode)) else { return Ok(None) };
        let subject = match mode {
            Mode::TokenExchange => Some(token_exchange::subject(flow, address, paths, store)?),
            _ => None,
        };
        Ok(Some(Self { flow: flow.clone(), subject }))
    }

    /// Makes the grant at the endpoint that made it before.
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
