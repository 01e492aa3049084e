//! Refreshing at the vendor's token endpoint (RFC 6749 section 6).

use jiff::Timestamp;

use super::{Attempt, RefreshError, RefreshResult, merge_tokens, method::not_refreshable};
use crate::{
    config::env_value,
    context::Context,
    credential::{Credential, OAuth, Record},
    login::oauth::{account, non_interactive::NonInteractiveGrant},
    oauth::{self, ClientAuth, Http, OAuthError, TokenEndpoint, TokenOrigin, Tokens},
    provider::{Mode, Provider, descriptor::Body},
    store::SharedStore,
    ui::Event,
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

/// Prepares to send the refresh token or, with a mode, to repeat the grant. Blocks while certificates and the grant's secrets
/// are read.
pub(super) fn prepare(
    context: &Context,
    provider: Provider,
    store: &SharedStore,
    seen: Record,
    endpoint: TokenEndpoint,
    mode: Option<Mode>,
) -> Result<Attempt, RefreshError> {
    let regrant = match mode {
        Some(mode) => {
            let regrant = NonInteractiveGrant::of(&provider, mode, &seen.address, context, &store.lock())
                .map_err(|error| super::container_error(&seen, error))?;
            Some(regrant.ok_or_else(|| not_refreshable(&seen, "its provider no longer has its mode"))?)
        }
        None => None,
    };
    let bundle = context.project()?.ca_bundle_file()?;
    let failed = |source| RefreshError::Server { address: Box::new(seen.address.clone()), source };
    let http = Http::new(bundle.as_deref()).map_err(failed)?;
    http.ignored_config().iter().for_each(|why| context.ui().show(Event::IgnoredConfig(why)));
    Ok(match regrant {
        Some(regrant) => Box::pin(repeat_grant(http, endpoint, regrant, provider, seen)),
        None => Box::pin(send_refresh_token(http, endpoint, provider, seen)),
    })
}

/// Sends the refresh token, once.
async fn send_refresh_token(
    http: Http,
    endpoint: TokenEndpoint,
    provider: Provider,
    seen: Record,
) -> Result<RefreshResult, RefreshError> {
    let failed = |source: OAuthError| failure(&seen, source);
    let Credential::OAuth(before) = &seen.credential else { return Err(super::precheck::removed(&seen)) };
    let Some(token) = &before.refresh_token else { return Err(super::precheck::removed(&seen)) };
    let tokens = oauth::refresh(&http, &endpoint, token).await.map_err(failed)?;
    Ok(refresh_result(&provider, &seen, before, tokens))
}

/// Makes a grant again that needs no person. It consumes no refresh token, so an unknown outcome does no harm.
async fn repeat_grant(
    http: Http,
    endpoint: TokenEndpoint,
    regrant: NonInteractiveGrant,
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
    let credential = Credential::OAuth(merge_tokens(before, tokens.credential));
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
