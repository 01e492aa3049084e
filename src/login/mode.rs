//! The mode that is meant by what was given, and what a mode takes.

use super::{LoginError, LoginOptions};
use crate::provider::{Descriptor, Mode};

/// The mode that what was given belongs to; the provider may not have it.
pub(super) fn infer(provider: &Descriptor, how: &LoginOptions) -> Option<Mode> {
    if how.api_key.is_some() {
        return Some(Mode::ApiKey);
    }
    if how.token.is_some() {
        return Some(Mode::Token);
    }
    let basic = provider.modes.contains(&Mode::Basic);
    (!how.fields.is_empty()).then_some(if basic { Mode::Basic } else { Mode::Fields })
}

/// Refuses what belongs to a credential and the mode would drop. What belongs to a way to get one is not looked at.
pub(super) fn validate_inputs(mode: Mode, how: &LoginOptions) -> Result<Mode, LoginError> {
    let takes_end = matches!(mode, Mode::ApiKey | Mode::Token);
    let takes_fields = matches!(mode, Mode::Basic | Mode::Fields);
    let unwanted = [
        ("an API key was", how.api_key.is_some() && mode != Mode::ApiKey),
        ("a token was", how.token.is_some() && mode != Mode::Token),
        ("fields were", !how.fields.is_empty() && !takes_fields),
        ("the time of its end was", how.expires_at.is_some() && !takes_end),
    ];
    match unwanted.into_iter().find(|(_, unwanted)| *unwanted) {
        Some((what, _)) => Err(LoginError::UnexpectedInput { what, mode }),
        None => Ok(mode),
    }
}
