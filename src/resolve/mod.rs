//! Resolving a request to the credential to use.

pub mod ensure_fresh;
pub mod env;
mod error;
pub mod request;
mod search;
pub mod stored_choice;

pub use self::{
    ensure_fresh::{FreshCredential, ensure_fresh, find_fresh},
    env::{EnvCredential, from_env},
    error::ResolveError,
    request::{FieldSource, Part, Request, Resolved, SkipReason, Skipped, Source},
    stored_choice::StoredChoice,
};

use self::search::{Purpose, Search};
use crate::{
    context::{ConfigError, Context},
    credential::{Name, Record},
    provider::Registry,
    store::SharedStore,
};

/// The credential that a request resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It can be used.
    Ready(Resolved),
    /// It has expired or is about to ([`refresh_margin`](crate::refresh::refresh_margin)), and there may be a way to
    /// refresh it first. Nothing was tried yet.
    Expiring(StoredChoice),
}

impl Lookup {
    /// The credential without a refresh, if it has not expired.
    ///
    /// # Errors
    /// [`ResolveError::Expired`]
    pub fn without_refresh(self) -> Result<Resolved, ResolveError> {
        match self {
            Self::Ready(resolved) => Ok(resolved),
            Self::Expiring(expiring) => expiring.without_refresh(),
        }
    }
}

/// Finds the credential of a provider. The first of these is used:
///
/// 1. the credential that the request gives,
/// 2. the profile that it names: that profile or none,
/// 3. from the project's order of profiles (`profiles` in its file) the first that is stored and has not expired, or can
///    be refreshed as far as is known; those before it are in [`Resolved::skipped`],
/// 4. from the other profiles the default one, or the only one,
/// 5. when nothing is stored, the provider's environment variables ([`from_env`]).
///
/// Blank fields are filled from the environment ([`env::fill_blank_fields`]). Descriptors are read only if the store does
/// not know the name, or the credential has fields or is due.
///
/// Nothing is refreshed here, and nothing is sent: a caller that can refresh does so with [`Lookup::Expiring`], another
/// takes the credential [without](Lookup::without_refresh).
///
/// The audit log gets an entry when a stored secret is handed out or refused. For a credential that is due,
/// [`ensure_fresh()`] writes it.
///
/// # Errors
/// Any [`ResolveError`] but `Refresh`.
pub fn resolve(context: &Context, request: &Request) -> Result<Lookup, ResolveError> {
    find(context, request, Purpose::HandOut)
}

/// Finds the credential as [`resolve`] does, for a caller that does not want the secret: the audit log gets no entry.
///
/// # Errors
/// As [`resolve`].
pub fn inspect(context: &Context, request: &Request) -> Result<Lookup, ResolveError> {
    find(context, request, Purpose::Inspect)
}

/// The stored credential that [`resolve`] would use, whether or not it has expired. The audit log gets no entry.
///
/// # Errors
/// [`ResolveError::NotFound`], [`ResolveError::SeveralAccounts`], [`ResolveError::Config`], [`ResolveError::Store`]
pub fn choose_stored(context: &Context, request: &Request) -> Result<StoredChoice, ResolveError> {
    let store = context.existing_store()?;
    let store = store.as_ref().map(SharedStore::lock);
    let search = Search::new(context, request, store.as_deref(), Purpose::Inspect)?;
    look_up(context, &request.provider, |name| search.choose(name))?
        .map_err(|name| search.not_found(name, false))
}

fn find(context: &Context, request: &Request, purpose: Purpose) -> Result<Lookup, ResolveError> {
    let typed = request.provider.as_str();
    if let Some(credential) = &request.given {
        let search = Search::new(context, request, None, purpose)?;
        let name = name_of(&context.registry_for(typed), typed)?;
        return Ok(Lookup::Ready(search.given(name, credential)));
    }
    let store = context.existing_store()?;
    let store = store.as_ref().map(SharedStore::lock);
    let search = Search::new(context, request, store.as_deref(), purpose)?;
    let name = match look_up(context, typed, |name| search.stored(name))? {
        Ok(found) => return Ok(found),
        Err(name) => name,
    };
    // From here on the descriptor decides what is used, so all of its files must be in order.
    let registry = context.registry_for(typed);
    let provider = registry.usable(typed).map_err(ConfigError::from)?;
    let found = if request.profile.is_none() { from_env(provider)? } else { None };
    match found {
        Some(found) => Ok(Lookup::Ready(search.in_environment(name, found))),
        None => {
            let key_optional = provider.api.as_ref().is_some_and(|api| api.key_optional);
            Err(search.not_found(name, key_optional))
        }
    }
}

/// Looks for a credential under the name as it is typed, and under the provider's name if that is an alias; the error is the
/// name under which there is none.
fn look_up<T>(
    context: &Context,
    typed: &str,
    stored: impl Fn(&Name) -> Result<Option<T>, ResolveError>,
) -> Result<Result<T, Name>, ResolveError> {
    if let Ok(name) = typed.parse()
        && let Some(found) = stored(&name)?
    {
        return Ok(Ok(found));
    }
    let name = name_of(&context.registry_for(typed), typed)?;
    let found = if name.as_str() == typed { None } else { stored(&name)? };
    Ok(found.ok_or(name))
}

/// The name of a provider. A credential under it is found even if the provider's files are wrong.
fn name_of(registry: &Registry, typed: &str) -> Result<Name, ConfigError> {
    let known = registry.get(typed).or_else(|_| registry.usable(typed))?;
    Ok(known.name.parse()?)
}

/// Evaluates the credential that another process has stored in place of one that was due.
pub(crate) fn re_evaluate(
    context: &Context,
    request: &Request,
    before: StoredChoice,
    now: Record,
) -> Result<Lookup, ResolveError> {
    let search = Search::new(context, request, None, Purpose::Inspect)?;
    search.evaluate(now, before.skipped).and_then(|found| search.check_part(found))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        config::Paths,
        credential::{Address, Credential, Metadata, OAuth, Owner, Secret},
        store::Store,
    };

    fn oauth(refresh_token: Option<&str>) -> Credential {
        Credential::OAuth(OAuth {
            access_token: "access".into(),
            refresh_token: refresh_token.map(Secret::from),
            id_token: None,
            extra: Default::default(),
        })
    }

    fn expiring(in_seconds: i64) -> Metadata {
        let expires_at = Some(crate::clock::now() + SignedDuration::from_secs(in_seconds));
        Metadata { expires_at, ..Metadata::default() }
    }

    fn resolves(
        provider: &str,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Lookup, ResolveError> {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile(provider.parse().expect("a name"));
        store.put(&address, credential, metadata).expect("stored");
        let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
        resolve(&Context::new(paths).with_store(SharedStore::new(store)), &Request::new(provider))
    }

    #[test]
    fn expired_login_with_a_refresh_token_may_be_refreshed() {
        let Ok(Lookup::Expiring(found)) = resolves("codex", &oauth(Some("refresh")), &expiring(-10)) else {
            panic!("not expiring");
        };
        assert!(matches!(found.without_refresh(), Err(ResolveError::Expired { owner: Owner::Us, .. })));
    }

    #[test]
    fn credential_with_time_left_is_ready() {
        let found = resolves("codex", &oauth(Some("refresh")), &expiring(3600)).expect("found");
        assert!(matches!(found, Lookup::Ready(_)), "{found:?}");
        let found = resolves("codex", &oauth(Some("refresh")), &Metadata::default()).expect("found");
        assert!(matches!(found, Lookup::Ready(_)), "{found:?}");
    }

    #[test]
    fn expired_credential_that_cannot_be_refreshed_is_refused() {
        let is_expired = |found| matches!(found, Err(ResolveError::Expired { .. }));
        assert!(is_expired(resolves("codex", &oauth(None), &expiring(-10))));
        let token = Credential::Token { token: "t".into() };
        assert!(is_expired(resolves("gh", &token, &expiring(-10))));
        assert!(is_expired(resolves("gh", &token, &expiring(0))));
    }

    #[test]
    fn expired_login_of_the_vendors_tool_is_not_refreshed() {
        let vendors = Metadata { owner: Owner::Vendor, ..expiring(-10) };
        let error = resolves("codex", &oauth(Some("refresh")), &vendors).expect_err("expired");
        assert!(matches!(error, ResolveError::Expired { owner: Owner::Vendor, .. }), "{error:?}");
    }

    #[test]
    fn expired_login_without_a_refresh_token_may_be_refreshed_by_its_cli() {
        let found = resolves("claude", &oauth(None), &expiring(-10)).expect("found");
        assert!(matches!(found, Lookup::Expiring(_)), "{found:?}");
    }
}
