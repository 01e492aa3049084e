//! The token to exchange (RFC 8693).

use crate::{
    config::{ReferenceError, SecretReference},
    context::Context,
    credential::{Address, Secret},
    login::LoginError,
    provider::flow::Flow,
    store::{Action, Outcome, Store},
};

const FIELD: &str = "token_exchange.subject_token";

/// Reads the subject token that the descriptor refers to. A stored credential comes from the credential set of `address`.
///
/// # Errors
/// [`LoginError::Config`], [`LoginError::Subject`], [`LoginError::SubjectExpired`], [`LoginError::Store`]
pub fn subject(
    flow: &Flow,
    address: &Address,
    context: &Context,
    store: &Store,
) -> Result<Secret, LoginError> {
    let reference = flow.subject_token.as_deref().unwrap_or_default();
    let reference: SecretReference =
        reference.parse().map_err(|problem| ReferenceError { field: FIELD.into(), problem })?;
    let SecretReference::Credential { provider, profile } = &reference else {
        return Ok(reference.read(FIELD)?);
    };
    let unusable = |problem: String| LoginError::Subject { field: FIELD.into(), problem };
    // Unlike other addresses, it needs a provider that exists.
    let registry = context.registry_for(provider.as_str());
    let known = registry.get(provider.as_str()).map_err(|error| unusable(error.to_string()))?;
    let source = context.address(Some(&address.set), &known.name, profile.as_ref())?;
    let record =
        store.get(&source)?.ok_or_else(|| unusable(format!("there is no credential for {source}")))?;
    if record.metadata.expires_at.is_some_and(|end| end <= crate::clock::now()) {
        return Err(LoginError::SubjectExpired { field: FIELD.into(), address: Box::new(source) });
    }
    let subject = record.credential.usable().cloned();
    let subject =
        subject.ok_or_else(|| unusable(format!("the credential for {source} is not a single token")))?;
    // The token goes to another server, so it is audited; a failure to record that does not end the login.
    let _ = store.audit(Action::Token, &source, Outcome::Ok);
    Ok(subject)
}
