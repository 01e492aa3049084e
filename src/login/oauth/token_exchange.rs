//! Logging in with another token (RFC 8693). Nobody is asked.

use jiff::Timestamp;

use crate::{
    config::{Paths, Reference, ReferenceError},
    credential::{Address, Name, Secret},
    login::LoginError,
    oauth::{
        Http, OAuthError, TokenEndpoint, Tokens,
        grant::{self, Exchange},
    },
    provider::{
        Registry,
        flow::{Flow, token_type},
    },
    store::{Action, Outcome, Store},
};

const FIELD: &str = "token_exchange.subject_token";

/// The token that is given: from where the descriptor says it is. A credential is one of the same set as `address`.
///
/// # Errors
/// [`LoginError::Reference`], [`LoginError::Subject`], [`LoginError::Store`]
pub fn subject(flow: &Flow, address: &Address, paths: &Paths, store: &Store) -> Result<Secret, LoginError> {
    let place = flow.subject_token.as_deref().unwrap_or_default();
    let reference: Reference =
        place.parse().map_err(|problem| ReferenceError { field: FIELD.into(), problem })?;
    let Reference::Credential { provider, profile } = &reference else { return Ok(reference.read(FIELD)?) };
    let not = |problem: String| LoginError::Subject { field: FIELD.into(), problem };
    let registry = Registry::load_one(paths, provider.as_str());
    let known = registry.get(provider.as_str()).map_err(|error| not(error.to_string()))?;
    let of = Address {
        set: address.set.clone(),
        provider: known.name.parse().map_err(|error: crate::credential::NameError| not(error.to_string()))?,
        profile: profile.clone().unwrap_or_else(Name::default_name),
    };
    let record = store.get(&of)?.ok_or_else(|| not(format!("there is no credential for {of}")))?;
    if record.metadata.expires_at.is_some_and(|end| end <= Timestamp::now()) {
        let words = of.arguments();
        return Err(not(format!(
            "the credential for {of} has expired: renew it with `authenticate refresh default {words}`, or log in again"
        )));
    }
    let subject = record.credential.usable().cloned();
    let subject = subject.ok_or_else(|| not(format!("the credential for {of} is not one token")))?;
    // It is handed out to a server. What cannot be recorded just now is used all the same.
    let _ = store.audit(Action::Token, &of, Outcome::Ok);
    Ok(subject)
}

/// Exchanges it.
///
/// # Errors
/// [`OAuthError`]
pub async fn grant(
    http: &Http,
    flow: &Flow,
    endpoint: &TokenEndpoint,
    subject: &Secret,
) -> Result<Tokens, OAuthError> {
    let subject_type = token_type(flow.subject_token_type.as_deref().unwrap_or("access_token"));
    let requested_type = flow.requested_token_type.as_deref().map(token_type);
    let exchange =
        Exchange { subject, subject_type: &subject_type, requested_type: requested_type.as_deref() };
    grant::exchange_token(http, endpoint, &exchange, &flow.scopes, &flow.parameters).await
}
