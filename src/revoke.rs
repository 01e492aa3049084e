//! Leaving: revoking at the vendor, and removing here.

use crate::{
    Error,
    config::{Paths, Project, env_value, yaml::Problem},
    credential::{Address, Credential, DEFAULT, Kind, Record, Secret},
    oauth::{self, ClientAuth, Endpoint, Http, OAuthError, Origin, TokenEndpoint, TokenHint},
    provider::{
        Provider, Unusable,
        descriptor::{Body, Revoke},
    },
    refresh::{
        self, RefreshError, RefreshLockError,
        lock::{Acquired, RefreshLock},
    },
    status::state,
    store::{Action, CachedKey, Outcome, Removal, SharedStore, Store, StoreError, Summary},
};

/// What became of a credential at its vendor.
#[derive(Debug)]
pub enum Revocation {
    /// The vendor has revoked it.
    Done,
    /// The vendor offers no way, or none for a credential of this kind: it stays valid until it expires or is removed at
    /// the vendor.
    NotOffered,
    /// It was not tried.
    NotTried,
    /// It was not tried, because a file of its provider is wrong: what it says of where tokens go might be missing.
    Wrong(Vec<Problem>),
    /// It could not be tried: what is stored cannot be read. At the vendor it is as valid as it was.
    Unreadable(StoreError),
    /// It was tried, and failed.
    Failed(OAuthError),
    /// It worked with one of its tokens alone.
    Partial {
        /// The token that does not work any more.
        revoked: TokenHint,
        /// The other one, which stays valid.
        kept: TokenHint,
        /// Why.
        source: OAuthError,
    },
}

/// What became of a credential.
#[derive(Debug)]
pub struct LogoutOutcome {
    /// At the vendor.
    pub revocation: Revocation,
    /// Here. `None`: it was kept.
    pub removal: Option<Removal>,
    /// What is to be shown beside it: see [`Http::ignored_config`].
    pub unread: Vec<String>,
}

/// What is to be done with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutMode {
    /// Revoke it, and remove it whether or not that works.
    Logout,
    /// Remove it.
    Forget,
    /// Revoke it, and remove it only if that works.
    Revoke,
}

/// Revokes a credential at its vendor, the refresh token before the access token, which is tried even if the vendor
/// refused the other, and removes it from the store of the data directory, or from the one given. A renewal that is under way is waited for, so that what it brings is revoked,
/// too.
///
/// # Errors
/// [`Error::NoCredential`] when there is none, [`Error::Refresh`] when somebody keeps renewing it, [`Error::Store`], and
/// with [`LogoutMode::Revoke`] [`Error::Descriptor`]. That the vendor could not be reached, or refused, is no error: see
/// [`LogoutOutcome::revocation`].
pub async fn log_out(
    paths: &Paths,
    store: Option<&SharedStore>,
    provider: Result<&Provider, Unusable>,
    project: &Project,
    address: &Address,
    how: LogoutMode,
) -> Result<LogoutOutcome, Error> {
    let none = || no_credential(paths, store, address);
    if store.is_none() && Store::open_existing(paths)?.is_none() {
        return Err(none());
    }
    let waited = RefreshLock::acquire(paths, store, address, refresh::LONGEST, || {
        Ok::<Option<()>, RefreshLockError>(None)
    })
    .await;
    let Acquired::Held(_turn) = waited.map_err(RefreshError::from)? else {
        return Err(RefreshError::Busy { address: Box::new(address.clone()), holder: None }.into());
    };
    let (mut revocation, mut unread) = (Revocation::NotTried, Vec::new());
    let mut _key = CachedKey::default();
    if how != LogoutMode::Forget {
        // Not held open: no lock on the store while the network is awaited.
        let opened = SharedStore::open(store, paths)?;
        let found = opened.lock().get(address);
        _key = opened.lock().cached_key();
        drop(opened);
        revocation = match (found, how) {
            (Ok(None), _) => return Err(none()),
            (Ok(Some(record)), _) => revoke_at_vendor(provider, project, &record, &mut unread).await,
            (Err(error @ StoreError::Interrupted), _) => return Err(error.into()),
            // What cannot be read can still be removed.
            (Err(error), LogoutMode::Logout) => {
                let summary = summary_of(&SharedStore::open(store, paths)?.lock(), address)?;
                unreadable(provider, summary.as_ref(), error)
            }
            (Err(error), _) => return Err(error.into()),
        };
    }
    let outcome = match &revocation {
        Revocation::Done => Some(Outcome::Ok),
        Revocation::Failed(error) => Some(Outcome::Failed(error.code())),
        Revocation::Partial { .. } => Some(Outcome::Failed("in_part")),
        Revocation::Wrong(_) => Some(Outcome::Failed("configuration")),
        Revocation::Unreadable(error) => Some(Outcome::Failed(error.code())),
        Revocation::NotOffered | Revocation::NotTried => None,
    };
    if let Some(outcome) = outcome {
        // What cannot be recorded just now is removed all the same: nobody must be given what was revoked.
        let _ = SharedStore::open(store, paths)?.lock().audit(Action::Revoke, address, outcome);
    }
    if let (LogoutMode::Revoke, Revocation::Wrong(problems)) = (how, &mut revocation) {
        return Err(Error::Descriptor(std::mem::take(problems)));
    }
    let keeps = how == LogoutMode::Revoke && !matches!(revocation, Revocation::Done);
    let removal = match keeps {
        true => None,
        false => {
            let removed = SharedStore::open(store, paths).and_then(|store| store.lock().remove(address));
            Some(removed.map_err(|source| match revocation {
                Revocation::Done => {
                    Error::RevokedNotRemoved { address: Box::new(address.clone()), source: Box::new(source) }
                }
                _ => source.into(),
            })?)
        }
    };
    match removal {
        Some(removal) if !removal.found => Err(none()),
        removal => Ok(LogoutOutcome { revocation, removal, unread }),
    }
}

/// What is to go is never guessed: another account is only named.
fn no_credential(paths: &Paths, store: Option<&SharedStore>, address: &Address) -> Error {
    let profiles = |store: &Store| store.profiles(&address.provider, &address.set).unwrap_or_default();
    let others = match store {
        Some(store) => profiles(&store.lock()),
        None => Store::open_existing(paths).ok().flatten().map(|store| profiles(&store)).unwrap_or_default(),
    };
    let others = others.into_iter().map(|profile| match profile.as_str() {
        DEFAULT => address.provider.to_string(),
        profile => format!("{}:{profile}", address.provider),
    });
    let hint = match others.collect::<Vec<_>>().as_slice() {
        [] => "see what is stored with: authenticate status".to_owned(),
        some => format!("stored are: {}", some.join(", ")),
    };
    Error::NoCredential { what: address.redacted(), hint }
}

fn summary_of(store: &Store, address: &Address) -> Result<Option<Summary>, StoreError> {
    let stored = store.listing(Some(&address.set))?.credentials;
    Ok(stored.into_iter().find(|summary| summary.address == *address))
}

/// Of what cannot be read: nobody was to be asked, as far as it is known without its secret, or it could not be tried.
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
        (true, false) => Revocation::NotOffered,
    }
}

async fn revoke_at_vendor(
    provider: Result<&Provider, Unusable>,
    project: &Project,
    record: &Record,
    unread: &mut Vec<String>,
) -> Revocation {
    if !record.metadata.owner.is_us() {
        // It would end the login of the tool that it was imported from.
        return Revocation::NotTried;
    }
    let Credential::OAuth(tokens) = &record.credential else { return Revocation::NotOffered };
    let provider = match provider {
        Ok(provider) => Some(provider),
        Err(Unusable::Unknown(_)) => None,
        Err(Unusable::Wrong(problems)) => return Revocation::Wrong(problems),
    };
    let place = match (Origin::of(tokens), provider.and_then(|provider| provider.revoke.as_ref())) {
        (Some(origin), revoke) => origin_endpoint(&origin, revoke),
        (None, Some(revoke)) => descriptor_endpoint(revoke).map(Some),
        (None, None) => Ok(None),
    };
    let place = match place {
        Ok(Some(place)) => place,
        Ok(None) => return Revocation::NotOffered,
        Err(error) => return Revocation::Failed(error),
    };
    let refresh_token = tokens.refresh_token.as_ref().map(|token| (token, TokenHint::RefreshToken));
    let tokens = refresh_token.into_iter().chain([(&tokens.access_token, TokenHint::AccessToken)]);
    let http = project.ca_bundle_file().map_err(OAuthError::from);
    match http.and_then(|bundle| Http::new(bundle.as_deref())) {
        Ok(http) => {
            unread.extend_from_slice(http.ignored_config());
            revoke_tokens(&http, &place, tokens).await
        }
        Err(error) => Revocation::Failed(error),
    }
}

/// Where the descriptor says.
fn descriptor_endpoint(revoke: &Revoke) -> Result<TokenEndpoint, OAuthError> {
    let client_id = revoke.client_id.as_deref().map(|id| env_value::value("revoke.client_id", id));
    Ok(TokenEndpoint {
        url: revoke.url.parse()?,
        client_id: client_id.transpose()?.unwrap_or_default(),
        client_secret: None,
        client_auth: ClientAuth::default(),
        body: revoke.body.unwrap_or(Body::Form),
    })
}

/// Of tokens that a native login got: as the client that got them, where the server said, or else where the
/// descriptor says, if that is at the server that they came from. They go nowhere else, whatever it says by now.
fn origin_endpoint(origin: &Origin, revoke: Option<&Revoke>) -> Result<Option<TokenEndpoint>, OAuthError> {
    let described = revoke.map(|revoke| revoke.url.parse::<Endpoint>()).transpose()?;
    let described = described.filter(|url| url.host() == origin.token_url.host());
    let Some(url) = origin.revocation_url.clone().or(described) else { return Ok(None) };
    let body = revoke.and_then(|revoke| revoke.body).unwrap_or(Body::Form);
    Ok(Some(TokenEndpoint { url, body, ..origin.endpoint()? }))
}

async fn revoke_tokens(
    http: &Http,
    place: &TokenEndpoint,
    tokens: impl Iterator<Item = (&Secret, TokenHint)>,
) -> Revocation {
    let (mut revoked, mut kept) = (None, None);
    for (token, hint) in tokens {
        match oauth::revoke(http, place, token, hint).await {
            Ok(()) => revoked = Some(hint),
            // With the refresh token the login has ended; some vendors revoke no access tokens, which end by themselves.
            Err(OAuthError::Refused { .. }) if revoked.is_some() => {}
            Err(error) => {
                // If it was this token that it did not want, the other one would go on working.
                let goes_on = error.is_refusal();
                kept = kept.or(Some((hint, error)));
                if !goes_on {
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
