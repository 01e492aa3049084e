//! From what is asked for to the credential that is used.

use jiff::{SignedDuration, Timestamp};

use super::variable;
use crate::{
    Error,
    credential::{Credential, Metadata, Record},
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::{Descriptor, Registry, descriptor::RefreshStrategy},
    secret::Secret,
    store::Store,
};

/// Where a credential came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The store.
    Stored,
    /// An environment variable of the provider.
    Env(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stored => f.write_str("stored"),
            Self::Env(name) => write!(f, "env {name}"),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The project; its file decides what is left open here.
    pub project: Name,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The provider, by its name or an alias.
    pub provider: String,
    /// The profile. One that is named is used or nothing is: never silently another one.
    pub profile: Option<Name>,
}

impl Request {
    /// The credential of a provider for a project, whichever profile that is.
    pub fn new(project: &Name, provider: impl Into<String>) -> Self {
        Self { project: project.clone(), set: None, provider: provider.into(), profile: None }
    }
}

/// A credential that can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where it is, or would be.
    pub address: Address,
    /// The credential.
    pub credential: Credential,
    /// What is known of it.
    pub metadata: Metadata,
    /// Where it came from.
    pub source: Source,
}

/// What came of looking for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It can be used.
    Ready(Resolved),
    /// It has expired or is about to, and may be renewed first.
    Stale(Stale),
}

/// A stored credential that expires within the margin ([`margin`]), or has expired, and can perhaps be renewed: it
/// has a refresh token, or its provider's strategy is `command`. Nobody has tried yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The credential, as it is stored.
    pub record: Record,
    /// How to log in again.
    hint: String,
}

impl Resolution {
    /// What can be used without renewing anything.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn as_it_is(self) -> Result<Resolved, Error> {
        match self {
            Self::Ready(resolved) => Ok(resolved),
            Self::Stale(stale) => stale.as_it_is(),
        }
    }
}

impl Stale {
    /// The credential unrenewed, as long as it has not expired.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn as_it_is(self) -> Result<Resolved, Error> {
        let Self { record, hint } = self;
        match record.metadata.expires_at.filter(|expiry| *expiry <= Timestamp::now()) {
            Some(expiry) => Err(expired(&record.address, expiry, hint)),
            None => Ok(stored(record)),
        }
    }

    /// The credential after it was renewed.
    pub fn renewed(self, record: Record) -> Resolved {
        stored(record)
    }

    /// The command to log in again with, for hints.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// How long before its end a credential is stale: 5 minutes, or a tenth of its lifetime if that is less.
pub fn margin(updated_at: Timestamp, expires_at: Timestamp) -> SignedDuration {
    let lifetime = expires_at.duration_since(updated_at).max(SignedDuration::ZERO);
    (lifetime / 10).min(SignedDuration::from_mins(5))
}

/// Finds the credential of a provider: the stored one, or else, when no profile was named, the one in the provider's
/// environment variables. The registry is read only when the store does not know the name.
///
/// Nothing is renewed here, and no network is asked: who can renew does so with [`Resolution::Stale`], who cannot
/// takes it [as it is](Resolution::as_it_is).
///
/// # Errors
/// [`Error::NoCredential`], [`Error::Expired`], [`Error::UnknownProvider`], [`Error::Project`], [`Error::Store`]
pub fn resolve(paths: &Paths, request: &Request) -> Result<Resolution, Error> {
    let store = Store::open_existing(paths.data())?;
    resolve_in(store.as_ref(), paths, request)
}

/// The same, from an open store, or none.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_in(store: Option<&Store>, paths: &Paths, request: &Request) -> Result<Resolution, Error> {
    let set = match &request.set {
        Some(set) => set.clone(),
        None => Project::load(&paths.projects(), &request.project).map_err(Error::Project)?.set(),
    };
    let address = |provider: Name| Address {
        set: set.clone(),
        provider,
        profile: request.profile.clone().unwrap_or_else(Name::default_name),
    };
    let get = |address: &Address| match store {
        Some(store) => store.get(address),
        None => Ok(None),
    };
    let provider = request.provider.as_str();
    if let Some(record) = provider.parse().ok().map(|name| get(&address(name))).transpose()?.flatten() {
        return judge(paths, request, record);
    }
    let registry = Registry::load_for(Some(&paths.providers()), provider);
    let known = registry.get(provider)?;
    let address = address(known.name.parse()?);
    if let Some(record) = get(&address)? {
        return judge(paths, request, record);
    }
    if request.profile.is_none()
        && let Some((name, key)) = from_env(known)?
    {
        let credential = Credential::ApiKey { key };
        let (metadata, source) = (Metadata::default(), Source::Env(name));
        return Ok(Resolution::Ready(Resolved { address, credential, metadata, source }));
    }
    let hint = format!("log in with: {}", login(paths, &request.project, &address));
    Err(Error::NoCredential { what: address.to_string(), hint })
}

/// Whether a stored credential can be used, or renewed.
fn judge(paths: &Paths, request: &Request, record: Record) -> Result<Resolution, Error> {
    let Some(expiry) = record.metadata.expires_at else { return Ok(Resolution::Ready(stored(record))) };
    let now = Timestamp::now();
    let left = expiry.duration_since(now);
    if left > margin(record.updated_at, expiry) {
        return Ok(Resolution::Ready(stored(record)));
    }
    let hint = || format!("log in again with: {}", login(paths, &request.project, &record.address));
    if is_renewable(paths, &record) {
        return Ok(Resolution::Stale(Stale { hint: hint(), record }));
    }
    if expiry <= now {
        return Err(expired(&record.address, expiry, hint()));
    }
    Ok(Resolution::Ready(stored(record)))
}

/// Whether it is worth trying to renew it. The descriptor is read only where the credential itself does not say.
fn is_renewable(paths: &Paths, record: &Record) -> bool {
    match &record.credential {
        Credential::OAuth(oauth) if oauth.refresh_token.is_some() => true,
        Credential::OAuth(_) => {
            let provider = record.address.provider.as_str();
            let registry = Registry::load_for(Some(&paths.providers()), provider);
            let refresh = registry.get(provider).ok().and_then(|known| known.refresh.as_ref());
            refresh.is_some_and(|refresh| refresh.strategy == RefreshStrategy::Command)
        }
        _ => false,
    }
}

fn stored(record: Record) -> Resolved {
    let Record { address, credential, metadata, .. } = record;
    Resolved { address, credential, metadata, source: Source::Stored }
}

fn expired(address: &Address, expiry: Timestamp, hint: String) -> Error {
    let ago = SignedDuration::from_secs(Timestamp::now().duration_since(expiry).as_secs());
    Error::Expired { what: address.to_string(), ago: format!("{ago:#}"), hint }
}

/// The command that stores a credential at an address.
fn login(paths: &Paths, project: &Name, address: &Address) -> String {
    let profile = match address.profile.as_str() {
        crate::name::DEFAULT => String::new(),
        profile => format!(":{profile}"),
    };
    let set = match Project::load(&paths.projects(), project) {
        Ok(own) if own.set() == address.set => String::new(),
        _ => format!(" --set {}", address.set),
    };
    format!("authenticate {project} {}{profile}{set}", address.provider)
}

/// The first of a provider's environment variables that is set, and its value. `{ID}_API_KEY` always counts, last.
///
/// # Errors
/// [`Error::Variable`] when its value cannot be a secret.
pub fn from_env(provider: &Descriptor) -> Result<Option<(String, Secret)>, Error> {
    let own = format!("{}_API_KEY", provider.name.to_ascii_uppercase().replace(['-', '.'], "_"));
    let listed = provider.api_key.iter().flat_map(|api_key| api_key.env_var.iter());
    for name in listed.chain([own.as_str()]) {
        if let Some(secret) = variable::read(name)? {
            return Ok(Some((name.to_owned(), secret)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::OAuth;

    fn place() -> (tempfile::TempDir, Paths) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        (directory, paths)
    }

    fn oauth(refresh_token: Option<&str>) -> Credential {
        Credential::OAuth(OAuth {
            access_token: "access".into(),
            refresh_token: refresh_token.map(Secret::from),
            id_token: None,
            extra: Default::default(),
        })
    }

    fn expiring(in_seconds: i64) -> Metadata {
        let expires_at = Some(Timestamp::now() + SignedDuration::from_secs(in_seconds));
        Metadata { expires_at, ..Metadata::default() }
    }

    fn resolves(provider: &str, credential: &Credential, metadata: &Metadata) -> Result<Resolution, Error> {
        let (_directory, paths) = place();
        let mut store = Store::in_memory().expect("a store");
        let address = Address::of(provider.parse().expect("a name"));
        store.put(&address, credential, metadata).expect("stored");
        resolve_in(Some(&store), &paths, &Request::new(&Name::default_name(), provider))
    }

    #[test]
    fn the_margin_is_five_minutes_or_a_tenth_of_the_lifetime() {
        let margin = |lifetime| {
            let now = Timestamp::now();
            margin(now, now + SignedDuration::from_secs(lifetime)).as_secs()
        };
        assert_eq!([margin(86_400), margin(3_000), margin(600), margin(-5)], [300, 300, 60, 0]);
    }

    #[test]
    fn what_can_be_renewed_is_stale_when_it_has_expired() {
        let Ok(Resolution::Stale(stale)) = resolves("codex", &oauth(Some("refresh")), &expiring(-10)) else {
            panic!("not stale");
        };
        assert_eq!(stale.hint(), "log in again with: authenticate default codex");
        assert!(matches!(stale.as_it_is(), Err(Error::Expired { .. })));
    }

    #[test]
    fn what_has_time_left_is_ready() {
        let found = resolves("codex", &oauth(Some("refresh")), &expiring(3600)).expect("found");
        assert!(matches!(found, Resolution::Ready(_)), "{found:?}");
        let found = resolves("codex", &oauth(Some("refresh")), &Metadata::default()).expect("found");
        assert!(matches!(found, Resolution::Ready(_)), "{found:?}");
    }

    #[test]
    fn without_a_way_to_renew_it_is_used_to_its_end_and_refused_after() {
        assert!(matches!(resolves("codex", &oauth(None), &expiring(-10)), Err(Error::Expired { .. })));
        let token = Credential::Token { token: "t".into() };
        assert!(matches!(resolves("gh", &token, &expiring(-10)), Err(Error::Expired { .. })));
        assert!(matches!(resolves("gh", &token, &expiring(0)), Err(Error::Expired { .. })));
    }

    #[test]
    fn a_vendors_own_cli_renews_without_a_refresh_token_of_ours() {
        let found = resolves("claude", &oauth(None), &expiring(-10)).expect("found");
        assert!(matches!(found, Resolution::Stale(_)), "{found:?}");
    }
}
