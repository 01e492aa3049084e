//! Credentials that are entered: API keys, bearer tokens, user name and password, named fields.

pub mod api_key;
mod error;
pub mod expiry;
pub mod field_input;
pub mod fields;

use super::{Login, LoginError};
use crate::{credential::Credential, provider::Mode};

impl Login {
    /// Checks the credential that was given or, without one, is asked for. Fields of `current` that are not given stay.
    pub(super) fn entered(&self, current: Option<&Credential>) -> Result<Credential, LoginError> {
        let (provider, options, ui) = (&self.provider, &self.options, self.context.ui());
        let ask = |name: &str, hint| ui.ask_secret(&format!("{name} for {}", provider.label), hint);
        Ok(match self.mode {
            Mode::ApiKey => {
                let key_url = provider.api_key.as_ref().and_then(|key| key.key_url.as_deref());
                let hint = provider.api_key_hint.as_deref().or(key_url);
                let raw = options.api_key.clone().map_or_else(|| ask("API key", hint), Ok)?;
                Credential::ApiKey { key: api_key::check(provider, &raw, options.force)? }
            }
            Mode::Token => {
                let raw = options.token.clone().map_or_else(|| ask("Bearer token", None), Ok)?;
                Credential::Token { token: api_key::check_token(provider, &raw, options.force)? }
            }
            mode => fields::credential(provider, mode, &options.fields, current, ui)?,
        })
    }
}
