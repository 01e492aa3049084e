//! Refreshing at the vendor's token endpoint (RFC 6749 section 6).

use jiff::Timestamp;

use super::{PreparedRefresh, RefreshError, RefreshResult, method::not_refreshable};
use crate::{
    config::env_value,
    context::Context,
    credential::{Credential, Record, Secret},
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

/// Prepares to send the refresh token, once. Blocks while certificates are read.
pub(super) fn prepare_exchange(
    context: &Context,
    provider: Provider,
    seen: Record,
    endpoint: TokenEndpoint,
    token: Secret,
) -> Result<PreparedRefresh, RefreshError> {
    let http = http(context, &seen)?;
    Ok(Box::pin(async move {
        let tokens = oauth::refresh(&http, &endpoint, &token).await;
        let tokens = tokens.map_err(|source| exchange_failure(&seen, source))?;
        Ok(refresh_result(&provider, &seen, tokens))
    }))
}

/// Prepares to make a grant again that needs no person. It consumes no refresh token, so an unknown outcome does no harm.
/// Blocks while certificates and the grant's secrets are read.
pub(super) fn prepare_grant(
    context: &Context,
    provider: Provider,
    store: &SharedStore,
    seen: Record,
    endpoint: TokenEndpoint,
    mode: Mode,
) -> Result<PreparedRefresh, RefreshError> {
    let grant = NonInteractiveGrant::of(&provider, mode, &seen.address, context, &store.lock())
        .map_err(|error| super::container_error(&seen, error))?
        .ok_or_else(|| not_refreshable(&seen, "its provider no longer has its mode"))?;
    let http = http(context, &seen)?;
    Ok(Box::pin(async move {
        let tokens = grant.run(&http, &endpoint).await.map_err(|source| failure(&seen, source))?;
        Ok(refresh_result(&provider, &seen, tokens))
    }))
}

fn http(context: &Context, seen: &Record) -> Result<Http, RefreshError> {
    let bundle = context.project()?.ca_bundle_file()?;
    let failed = |source| RefreshError::Server { address: Box::new(seen.address.clone()), source };
    let http = Http::new(bundle.as_deref()).map_err(failed)?;
    http.ignored_config().iter().for_each(|why| context.ui().show(Event::IgnoredConfig(why)));
    Ok(http)
}

/// The tokens of a reply, completed by those that the credential has.
fn refresh_result(provider: &Provider, seen: &Record, tokens: Tokens) -> RefreshResult {
    let mut known = tokens.described(seen.metadata.clone());
    let account = account::from_id_token(provider, &tokens);
    let mut oauth = tokens.credential;
    if let Credential::OAuth(before) = &seen.credential {
        if TokenOrigin::of(before).is_some() {
            known.account = account.or(known.account);
        }
        // A server that does not rotate leaves the refresh token out (RFC 6749 section 6).
        oauth.refresh_token = oauth.refresh_token.or_else(|| before.refresh_token.clone());
        oauth.id_token = oauth.id_token.or_else(|| before.id_token.clone());
        oauth.extra = before.extra.clone();
    }
    let credential = Credential::OAuth(oauth);
    let metadata = vendor_files::derive_metadata(&provider.capture, &credential, &known);
    RefreshResult { credential, metadata }
}

/// The error for a refresh token that was sent.
fn exchange_failure(seen: &Record, error: OAuthError) -> RefreshError {
    match error.outcome_is_unknown() {
        true => RefreshError::OutcomeUnknown {
            address: Box::new(seen.address.clone()),
            since: Timestamp::now(),
            why: error.to_string(),
        },
        false => failure(seen, error),
    }
}

fn failure(seen: &Record, error: OAuthError) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let is_permanent = error.is_permanent();
    match error {
        OAuthError::Refused { code, description }
            if is_permanent && !CLIENT_ERRORS.contains(&code.as_str()) =>
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
