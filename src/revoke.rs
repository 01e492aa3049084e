//! Logging out: revoking a credential at its vendor, and removing it here.

use crate::{
    blocking,
    config::{env_value, yaml::Problem},
    context::{ConfigError, Context},
    credential::{Address, Credential, Kind, OAuth, Record, Secret},
    oauth::{self, ClientAuth, Endpoint, Http, OAuthError, TokenEndpoint, TokenHint, TokenOrigin},
    provider::{
        Provider, Unusable,
        descriptor::{Body, Revoke},
    },
    refresh::{self, RefreshError, lock::RefreshLock},
    status::state,
    store::{Action, Outcome, Removal, Store, StoreError, Summary},
};

/// The result of revoking a credential at its vendor.
#[derive(Debug)]
pub enum Revocation {
    /// The vendor has revoked it.
    Done,
    /// The vendor offers no revocation, or none for this kind of credential: it stays valid until it expires or is removed
    /// at the vendor.
    NotOffered(Kind),
    /// It was not tried because the descriptor's revocation endpoint is at another server than the one that issued the
    /// tokens, and was not so when they were issued: they stay valid.
    OtherServer {
        /// The descriptor's server.
        described: String,
        /// The server that issued the tokens.
        issuer: String,
    },
    /// It was not tried.
    NotTried,
    /// It was not tried because a descriptor file of the provider is invalid, and might name another endpoint.
    Wrong(Vec<Problem>),
    /// It could not be tried because the stored credential cannot be read. It is still valid at the vendor.
    Unreadable(StoreError),
    /// It was tried, and failed.
    Failed(OAuthError),
    /// Only one of its two tokens was revoked.
    Partial {
        /// The token that was revoked.
        revoked: TokenHint,
        /// The token that stays valid.
        kept: TokenHint,
        /// The failure of revoking that one.
        source: OAuthError,
    },
}

/// The outcome of a logout.
#[derive(Debug)]
pub struct LogoutOutcome {
    /// The revocation at the vendor.
    pub revocation: Revocation,
    /// The removal from the store; `None` if the credential was kept.
    pub removal: Option<Removal>,
    /// Warnings about configuration that was ignored, such as a CA bundle that cannot be read.
    pub ignored_config: Vec<String>,
}

/// The extent of a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutMode {
    /// Revoke the credential, and remove it whether or not that succeeds.
    Logout,
    /// Remove it without revoking it.
    Forget,
    /// Revoke it, and remove it only if that succeeds.
    Revoke,
}

/// An error of logging out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutError {
    /// Nothing is stored at the address.
    #[error("no credential for {}", address.redacted())]
    NotStored {
        /// The address.
        address: Box<Address>,
        /// Other accounts of the provider that are stored in the same set.
        others: Vec<Address>,
    },
    /// The vendor revoked the credential, and it could not be removed from the store.
    #[error(
        "{address} was revoked at the vendor, but could not be removed from this machine, where it is useless"
    )]
    RevokedNotRemoved {
        /// The credential.
        address: Box<Address>,
        /// The failure of the store.
        source: Box<StoreError>,
    },
    /// Another credential was stored while the vendor revoked this one. The other one is kept.
    #[error("{address} was replaced meanwhile, and the new credential is kept")]
    Replaced {
        /// The credential.
        address: Box<Address>,
    },
    /// The configuration cannot be used. Nothing was sent, for a wrong file might say where.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process is refreshing the credential, or its lock cannot be used.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Revokes a credential at its vendor and removes it from the store. The refresh token is revoked first, and the
/// access token even if the vendor refused that. A refresh in flight is waited for, so that its new tokens are revoked, too.
///
/// # Errors
/// [`LogoutError`]. An unreachable vendor or a refusal is not an error: see [`LogoutOutcome::revocation`].
pub async fn log_out(
    context: &Context,
    address: &Address,
    mode: LogoutMode,
) -> Result<LogoutOutcome, LogoutError> {
    let opened = context.clone();
    let store = blocking::run(move || opened.existing_store()).await?;
    let Some(store) = store else { return Err(not_stored(None, address)) };
    let acquired = RefreshLock::acquire(&store, address, refresh::LONGEST).await;
    let Some(_lock) = acquired.map_err(RefreshError::from)? else {
        return Err(RefreshError::Busy { address: Box::new(address.clone()), holder: None }.into());
    };
    let (context, wanted) = (context.clone(), address.clone());
    let decide = move |store: &mut Store| decide(&context, store, &wanted, mode);
    let (revocation, version, ignored_config) = match store.run(decide).await? {
        Err(revocation) => (revocation, None, Vec::new()),
        Ok(request) => (request.send().await, Some(request.version), request.http.ignored_config().to_vec()),
    };
    if let Some(outcome) = audit_outcome(&revocation) {
        let address = address.clone();
        // The credential is removed even if that cannot be recorded: a revoked one must not be handed out.
        let _ = store.run(move |store| store.audit(Action::Revoke, &address, outcome)).await;
    }
    if mode == LogoutMode::Revoke && !matches!(revocation, Revocation::Done) {
        return match revocation {
            Revocation::Wrong(problems) => Err(ConfigError::Descriptor(problems).into()),
            revocation => Ok(LogoutOutcome { revocation, removal: None, ignored_config }),
        };
    }
    let wanted = address.clone();
    let removal = store.run(move |store| remove(store, &wanted, version)).await;
    let removal = removal.map_err(|error| match (error, &revocation) {
        (LogoutError::Store(source), Revocation::Done) => {
            LogoutError::RevokedNotRemoved { address: Box::new(address.clone()), source: Box::new(source) }
        }
        (error, _) => error,
    })?;
    Ok(LogoutOutcome { revocation, removal: Some(removal), ignored_config })
}

/// Removes a credential. One that replaced the revoked version is kept: it is valid at the vendor.
fn remove(store: &mut Store, address: &Address, revoked: Option<i64>) -> Result<Removal, LogoutError> {
    let removal = match revoked {
        Some(version) => store.remove_version(address, version)?,
        None => store.remove(address)?,
    };
    match removal.found {
        true => Ok(removal),
        false if store.profiles(&address.provider, &address.set)?.contains(&address.profile) => {
            Err(LogoutError::Replaced { address: Box::new(address.clone()) })
        }
        false => Err(not_stored(Some(store), address)),
    }
}

/// The request that revokes a credential, or the result where nothing is sent.
type Decision = Result<Request, Revocation>;

/// A revocation that is ready to be sent.
struct Request {
    version: i64,
    http: Http,
    endpoint: TokenEndpoint,
    /// The tokens of each login.
    logins: Vec<Vec<(Secret, TokenHint)>>,
}

fn decide(
    context: &Context,
    store: &Store,
    address: &Address,
    mode: LogoutMode,
) -> Result<Decision, LogoutError> {
    if mode == LogoutMode::Forget {
        return Ok(Err(Revocation::NotTried));
    }
    let registry = context.registry_for(address.provider.as_str());
    let provider = registry.usable(address.provider.as_str());
    match (store.get(address), mode) {
        (Ok(None), _) => Err(not_stored(Some(store), address)),
        (Ok(Some(record)), _) => prepare(context, provider, &record),
        (Err(error @ StoreError::Interrupted), _) => Err(error.into()),
        // A credential that cannot be read can still be removed.
        (Err(error), LogoutMode::Logout) => {
            let stored = store.listing(Some(&address.set))?.credentials;
            let summary = stored.into_iter().find(|summary| summary.address == *address);
            Ok(Err(unreadable(provider, summary.as_ref(), error)))
        }
        (Err(error), _) => Err(error.into()),
    }
}

fn audit_outcome(revocation: &Revocation) -> Option<Outcome> {
    match revocation {
        Revocation::Done => Some(Outcome::Ok),
        Revocation::Failed(error) => Some(Outcome::Failed(error.code())),
        Revocation::Partial { .. } => Some(Outcome::Failed("partial")),
        Revocation::Wrong(_) | Revocation::OtherServer { .. } => Some(Outcome::Failed("configuration")),
        Revocation::Unreadable(error) => Some(Outcome::Failed(error.code())),
        Revocation::NotOffered(_) | Revocation::NotTried => None,
    }
}

/// Other accounts are only named: which credential to remove is never guessed.
fn not_stored(store: Option<&Store>, address: &Address) -> LogoutError {
    let others =
        store.and_then(|store| store.profiles(&address.provider, &address.set).ok()).unwrap_or_default();
    let others = others.into_iter().map(|profile| Address { profile, ..address.clone() }).collect();
    LogoutError::NotStored { address: Box::new(address.clone()), others }
}

/// The revocation of a credential that cannot be read: as far as its metadata tells, there is nothing to revoke, or it could
/// not be tried.
fn unreadable(
    provider: Result<&Provider, Unusable>,
    summary: Option<&Summary>,
    error: StoreError,
) -> Revocation {
    let Some(summary) = summary else { return Revocation::Unreadable(error) };
    let provider = match &provider {
        Ok(provider) => Some(&***provider),
        Err(Unusable::Unknown(_)) => None,
        Err(Unusable::Wrong(_)) if summary.kind == Kind::Oauth => return Revocation::Unreadable(error),
        Err(Unusable::Wrong(_)) => None,
    };
    match (summary.metadata.owner.is_us(), state::is_revocable(summary, provider)) {
        (false, _) => Revocation::NotTried,
        (true, true) => Revocation::Unreadable(error),
        (true, false) => Revocation::NotOffered(summary.kind),
    }
}

fn prepare(
    context: &Context,
    provider: Result<&Provider, Unusable>,
    record: &Record,
) -> Result<Decision, LogoutError> {
    if !record.metadata.owner.is_us() {
        // Revoking it would end the login of the tool from which it was imported.
        return Ok(Err(Revocation::NotTried));
    }
    let kind = record.credential.kind();
    let Credential::OAuth(tokens) = &record.credential else {
        return Ok(Err(Revocation::NotOffered(kind)));
    };
    let provider = match provider {
        Ok(provider) => Some(provider),
        Err(Unusable::Unknown(_)) => None,
        Err(Unusable::Wrong(problems)) => return Ok(Err(Revocation::Wrong(problems))),
    };
    let endpoint = match (TokenOrigin::of(tokens), provider.and_then(|provider| provider.revoke.as_ref())) {
        (Some(origin), revoke) => origin_endpoint(&origin, revoke),
        (None, Some(revoke)) => descriptor_endpoint(revoke).map_err(Revocation::Failed),
        (None, None) => Err(Revocation::NotOffered(kind)),
    };
    let endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err(revocation) => return Ok(Err(revocation)),
    };
    // Those that were set aside are valid, too, and may be of another login.
    let set_aside = tokens.set_aside().map(|(tokens, _)| login_tokens(&tokens));
    let logins = [login_tokens(tokens)].into_iter().chain(set_aside).collect();
    let bundle = context.project()?.ca_bundle_file().map_err(OAuthError::from);
    let http = bundle.and_then(|bundle| Http::new(bundle.as_deref())).map_err(Revocation::Failed);
    Ok(http.map(|http| Request { version: record.version, http, endpoint, logins }))
}

/// The tokens of a login, the refresh token first.
fn login_tokens(tokens: &OAuth) -> Vec<(Secret, TokenHint)> {
    let refresh_token = tokens.refresh_token.clone().map(|token| (token, TokenHint::RefreshToken));
    refresh_token.into_iter().chain([(tokens.access_token.clone(), TokenHint::AccessToken)]).collect()
}

fn descriptor_endpoint(revoke: &Revoke) -> Result<TokenEndpoint, OAuthError> {
    let client_id = revoke.client_id.as_deref().map(|id| env_value::resolve("revoke.client_id", id));
    Ok(TokenEndpoint {
        url: revoke.url.parse()?,
        client_id: client_id.transpose()?.unwrap_or_default(),
        client_secret: None,
        client_auth: ClientAuth::default(),
        body: revoke.body.unwrap_or(Body::Form),
    })
}

/// The revocation endpoint for tokens of an OAuth flow: the descriptor's, or else the one of the login. The descriptor may
/// correct it, but the tokens go to no server that neither issued them nor was named at the login, whatever it says now.
fn origin_endpoint(origin: &TokenOrigin, revoke: Option<&Revoke>) -> Result<TokenEndpoint, Revocation> {
    let failed = |error: OAuthError| Revocation::Failed(error);
    let described = revoke.map(|revoke| revoke.url.parse::<Endpoint>()).transpose();
    let described = described.map_err(|error| failed(error.into()))?;
    let known = [Some(&origin.token_url), origin.revocation_url.as_ref()];
    let is_known = |url: &Endpoint| known.into_iter().flatten().any(|known| known.host() == url.host());
    let url = match (described, &origin.revocation_url) {
        (Some(described), _) if is_known(&described) => described,
        (_, Some(url)) => url.clone(),
        (Some(described), None) => {
            let (described, issuer) = (described.host(), origin.token_url.host());
            return Err(Revocation::OtherServer { described, issuer });
        }
        (None, None) => return Err(Revocation::NotOffered(Kind::Oauth)),
    };
    let body = revoke.and_then(|revoke| revoke.body).unwrap_or(Body::Form);
    Ok(TokenEndpoint { url, body, ..origin.endpoint().map_err(failed)? })
}

impl Request {
    /// Revokes the tokens of each login. The first failure is the result.
    async fn send(&self) -> Revocation {
        let mut result = Revocation::Done;
        for tokens in &self.logins {
            let revocation = self.revoke(tokens).await;
            if matches!(result, Revocation::Done) {
                result = revocation;
            }
        }
        result
    }

    async fn revoke(&self, tokens: &[(Secret, TokenHint)]) -> Revocation {
        let (mut revoked, mut kept) = (None, None);
        for &(ref token, hint) in tokens {
            match oauth::revoke(&self.http, &self.endpoint, token, hint).await {
                Ok(()) => revoked = Some(hint),
                // Without its refresh token the login has ended; some vendors do not revoke access tokens, which expire.
                Err(OAuthError::Refused { .. }) if revoked.is_some() => {}
                Err(error) => {
                    // If the vendor refused this token alone, the other one would stay valid.
                    let vendor_answers = error.is_refusal();
                    kept = kept.or(Some((hint, error)));
                    if !vendor_answers {
                        break;
                    }
                }
            }
        }
        match (revoked, kept) {
            (_, None) => Revocation::Done,
            (None, Some((_, error))) => Revocation::Failed(error),
            (Some(revoked), Some((kept, source))) => Revocation::Partial { revoked, kept, source },
        }
    }
}
