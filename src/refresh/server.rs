//! Refreshing at the vendor's token endpoint (RFC 6749 section 6).

use jiff::Timestamp;

use super::{RefreshError, RefreshResult, merge_tokens};
use crate::{
    config::env_value,
    credential::{Credential, OAuth, Record},
    login::oauth::{account, regrant::Regrant},
    oauth::{self, ClientAuth, Http, OAuthError, TokenEndpoint, TokenOrigin, Tokens},
    provider::{Provider, descriptor::Body},
    vendor_files,
};

/// The provider's token endpoint; `None` if its descriptor has none.
pub(super) fn endpoint(provider: &Provider) -> Result<Option<TokenEndpoint>, OAuthError> {
    let Some(refresh) = &provider.refresh else { return Ok(None) };
    let Some(url) = &refresh.token_url else { return Ok(None) };
    let client_id = refresh.client_id.as_deref().map(|id| env_value::resolve("refresh.client_id", id));
    Ok(Some(TokenEndpoint {
        url: url.parse()?,
        client_id: client_id.transpose()?.unwrap_or_default(),
        client_secret: None,
        client_auth: ClientAuth::default(),
        body: refresh.body.unwrap_or(Body::Form),
    }))
}

/// Whether there is a refresh token to send.
pub(super) fn has_refresh_token(oauth: &OAuth) -> bool {
    oauth.refresh_token.as_ref().is_some_and(|token| !token.is_empty())
}

/// Sends the refresh token, once.
pub(super) async fn send_refresh_token(
    http: Http,
    endpoint: TokenEndpoint,
    provider: Provider,
    seen: Record,
) -> Result<RefreshResult, RefreshError> {
    let failed = |source: OAuthError| failure(&seen, source);
    let Credential::OAuth(before) = &seen.credential else { return Err(super::precheck::removed(&seen)) };
    let Some(token) = &before.refresh_token else { return Err(super::precheck::removed(&seen)) };
    let tokens = oauth::refresh(&http, &endpoint, token, &[]).await.map_err(failed)?;
    Ok(refresh_result(&provider, &seen, before, tokens))
}

/// Makes a grant again that needs no person. It consumes no refresh token, so an unknown outcome does no harm.
pub(super) async fn repeat_grant(
    http: Http,
    endpoint: TokenEndpoint,
    regrant: Regrant,
    provider: Provider,
    seen: Record,
) -> Result<RefreshResult, RefreshError> {
    let failed = |source: OAuthError| match source.outcome_is_unknown() {
        true => RefreshError::Server { address: Box::new(seen.address.clone()), source },
        false => failure(&seen, source),
    };
    let Credential::OAuth(before) = &seen.credential else { return Err(super::precheck::removed(&seen)) };
    let tokens = regrant.run(&http, &endpoint).await.map_err(failed)?;
    Ok(refresh_result(&provider, &seen, before, tokens))
}

fn refresh_result(provider: &Provider, seen: &Record, before: &OAuth, tokens: Tokens) -> RefreshResult {
    let account = TokenOrigin::of(before).and_then(|_| account::from_id_token(provider, &tokens));
    let mut known = tokens.described(seen.metadata.clone());
    known.account = account.or(known.account);
    let credential = Credential::OAuth(merge_tokens(before, tokens));
    let metadata = vendor_files::derive_metadata(&provider.capture, &credential, &known);
    RefreshResult { credential, metadata }
}

fn failure(seen: &Record, error: OAuthError) -> RefreshError {
    let address = Box::new(seen.address.clone());
    if error.outcome_is_unknown() {
        return RefreshError::OutcomeUnknown { address, since: Timestamp::now(), why: error.to_string() };
    }
    match error {
        OAuthError::Refused { code, description }
            if is_permanent(&code) && !CLIENT_ERRORS.contains(&code.as_str()) =>
        {
            let why = description.map_or(code.clone(), |description| format!("{code}: {description}"));
            RefreshError::Refused { address, why }
        }
        source => RefreshError::Server { address, source },
    }
}

/// Errors about the configured client, not the token (RFC 6749 section 5.2): once the configuration is corrected, the login
/// works again.
const CLIENT_ERRORS: [&str; 2] = ["invalid_client", "unauthorized_client"];

fn is_permanent(code: &str) -> bool {
    OAuthError::Refused { code: code.to_owned(), description: None }.is_permanent()
}
