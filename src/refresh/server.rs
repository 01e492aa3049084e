//! Refreshing at the vendor's token endpoint (RFC 6749 section 6).

use super::{PreparedRefresh, RefreshError, RefreshResult, method::not_refreshable};
use crate::{
    config::env_value,
    context::Context,
    credential::{Credential, Record, Secret},
    login::oauth::{account, non_interactive::NonInteractiveGrant},
    oauth::{self, ClientAuth, Http, LoginParameters, OAuthError, TokenEndpoint, TokenOrigin, Tokens},
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
    parameters: LoginParameters,
) -> Result<PreparedRefresh, RefreshError> {
    let http = http(context, &seen)?;
    Ok(Box::pin(async move {
        let (tokens, problem) = match oauth::refresh(&http, &endpoint, &token, &parameters).await {
            Ok(tokens) => (tokens, None),
            Err(OAuthError::TokensInDoubt { what, tokens, .. }) => (*tokens.0, Some(what)),
            Err(error) => return Err(exchange_failure(&provider, &seen, error)),
        };
        Ok(RefreshResult { problem, ..refresh_result(&provider, &seen, tokens) })
    }))
}

/// Reads what is needed to make the grant of a login again, as it was requested. Blocks while its secrets are read.
pub(super) fn grant(
    context: &Context,
    provider: &Provider,
    store: &SharedStore,
    seen: &Record,
    mode: Mode,
    parameters: LoginParameters,
) -> Result<NonInteractiveGrant, RefreshError> {
    let grant = NonInteractiveGrant::of(provider, mode, &seen.address, context, &store.lock())
        .map_err(|error| super::container_error(seen, error))?
        .ok_or_else(|| not_refreshable(seen, "its provider no longer has its mode"))?;
    Ok(grant.with(parameters))
}

/// Prepares to make a grant again that needs no person. It consumes no refresh token, so an unknown outcome does no harm.
/// Blocks while certificates are read.
pub(super) fn prepare_grant(
    context: &Context,
    provider: Provider,
    seen: Record,
    endpoint: TokenEndpoint,
    grant: NonInteractiveGrant,
) -> Result<PreparedRefresh, RefreshError> {
    let http = http(context, &seen)?;
    Ok(Box::pin(async move {
        let tokens = grant.run(&http, &endpoint).await;
        let tokens = tokens.map_err(|source| failure(&provider, &seen, source))?;
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
    let are_scopes_named = tokens.scopes.is_some();
    let mut oauth = tokens.credential;
    if let Credential::OAuth(before) = &seen.credential {
        if oauth.access_token.is_empty() {
            // The response has a refresh token alone.
            (oauth.access_token, known.expires_at) = (before.access_token.clone(), seen.metadata.expires_at);
        }
        // A server that does not rotate leaves the refresh token out (RFC 6749 section 6).
        oauth.refresh_token = oauth.refresh_token.or_else(|| before.refresh_token.clone());
        oauth.id_token = oauth.id_token.or_else(|| before.id_token.clone());
        oauth.extra = before.without_set_aside().extra;
        if let Some(origin) = TokenOrigin::of(before) {
            known.account = account.or(known.account);
            let are_scopes_named = are_scopes_named || origin.are_scopes_named;
            TokenOrigin { are_scopes_named, ..origin }.store_in(&mut oauth.extra);
        }
    }
    let credential = Credential::OAuth(oauth);
    let metadata = vendor_files::derive_metadata(&provider.capture, &credential, &known);
    RefreshResult { credential, metadata, problem: None }
}

/// The error for a refresh token that was sent.
fn exchange_failure(provider: &Provider, seen: &Record, error: OAuthError) -> RefreshError {
    match error.outcome_is_unknown() {
        true => RefreshError::OutcomeUnknown {
            address: Box::new(seen.address.clone()),
            since: crate::clock::now(),
            why: error.to_string(),
        },
        false => failure(provider, seen, error),
    }
}

/// Tells a dead refresh token from a request that the vendor refused for another reason, and from a vendor that cannot serve
/// it now.
fn failure(provider: &Provider, seen: &Record, error: OAuthError) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let is_dead =
        |code: &str| code == INVALID_GRANT || provider.dead_token_codes.iter().any(|known| known == code);
    match error {
        OAuthError::Refused { code, description } if is_dead(&code) => {
            let why = description.map_or(code.clone(), |description| format!("{code}: {description}"));
            RefreshError::Refused { address, why }
        }
        source if source.is_permanent() || is_refused_by_status(&source) => {
            RefreshError::RequestRefused { address, source }
        }
        source => RefreshError::Server { address, source },
    }
}

/// Whether a server refused in words of its own. The other two statuses ask for another try (RFC 9110 section 15.5.9, RFC
/// 8470 section 5.2).
fn is_refused_by_status(error: &OAuthError) -> bool {
    matches!(error, OAuthError::BadReply { status, .. } if (400..500).contains(status) && ![408, 425].contains(status))
}

/// The error for a refresh token that is invalid, expired, revoked, or another client's (RFC 6749 section 5.2).
const INVALID_GRANT: &str = "invalid_grant";
