//! Choosing the mode of a login, and checking the inputs that it takes.

use super::{LoginError, LoginOptions};
use crate::{
    provider::{Descriptor, Mode, Provider},
    ui::Ui,
};

/// Chooses the mode: the one in the options, or the one that their inputs belong to, or the provider's only one, or else the
/// person's choice.
pub(super) fn choose(provider: &Provider, options: &LoginOptions, ui: &dyn Ui) -> Result<Mode, LoginError> {
    let mode = match (options.mode.or(infer(provider, options)), provider.modes.as_slice()) {
        (Some(mode), _) => require(provider, mode)?,
        (None, [only]) => *only,
        (None, several) => ui.choose_mode(provider, several)?,
    };
    validate_inputs(mode, options)
}

/// Refuses a mode that the provider does not have.
fn require(provider: &Provider, mode: Mode) -> Result<Mode, LoginError> {
    if provider.modes.contains(&mode) {
        return Ok(mode);
    }
    let needs_client = provider.flow(mode).is_some_and(|flow| flow.client_id.is_none());
    let (provider, has) = (provider.name.clone(), provider.modes.clone());
    Err(LoginError::NoSuchMode { provider, mode, has, needs_client })
}

/// The mode that the inputs belong to. The provider may not have it.
fn infer(provider: &Descriptor, options: &LoginOptions) -> Option<Mode> {
    if options.api_key.is_some() {
        return Some(Mode::ApiKey);
    }
    if options.token.is_some() {
        return Some(Mode::Token);
    }
    let basic = provider.modes.contains(&Mode::Basic);
    (!options.fields.is_empty()).then_some(if basic { Mode::Basic } else { Mode::Fields })
}

/// Refuses credentials and fields that the mode would ignore. Other unused options are not an error.
fn validate_inputs(mode: Mode, options: &LoginOptions) -> Result<Mode, LoginError> {
    let takes_end = matches!(mode, Mode::ApiKey | Mode::Token);
    let takes_fields = matches!(mode, Mode::Basic | Mode::Fields);
    let unexpected = [
        ("an API key was", options.api_key.is_some() && mode != Mode::ApiKey),
        ("a token was", options.token.is_some() && mode != Mode::Token),
        ("fields were", !options.fields.is_empty() && !takes_fields),
        ("an expiry was", options.expires_at.is_some() && !takes_end),
    ];
    match unexpected.into_iter().find(|(_, is_unexpected)| *is_unexpected) {
        Some((what, _)) => Err(LoginError::UnexpectedInput { what, mode }),
        None => Ok(mode),
    }
}
