//! From what is asked for to the credential that is used.

use std::env;

use jiff::Timestamp;

use crate::{
    Error,
    credential::{Credential, Metadata, Record},
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::{Descriptor, Registry},
    secret::Secret,
    store::{Action, Outcome, Store, StoreError},
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

/// Finds the credential of a provider: the stored one, or else, when no profile was named, the one in the provider's
/// environment variables. The registry is read only when the store does not know the name.
///
/// # Errors
/// [`Error::NoCredential`], [`Error::Expired`], [`Error::UnknownProvider`], [`Error::Store`]
pub fn resolve(
    paths: &Paths,
    project: &Name,
    set: &Name,
    provider: &str,
    profile: Option<&Name>,
) -> Result<Resolved, Error> {
    let store = Store::open_existing(paths)?;
    let address = |provider: Name| Address {
        set: set.clone(),
        provider,
        profile: profile.cloned().unwrap_or_else(Name::default_name),
    };
    let stored = |address: &Address| match &store {
        Some(store) => read(store, address),
        None => Ok(None),
    };
    if let Some(record) = provider.parse().ok().map(|name| stored(&address(name))).transpose()?.flatten() {
        return usable(paths, project, record.address, record.credential, record.metadata, Source::Stored);
    }
    let registry = Registry::load_for(Some(&paths.providers()), provider);
    let known = registry.get(provider)?;
    let address = address(known.name.parse()?);
    if let Some(record) = stored(&address)? {
        return usable(paths, project, record.address, record.credential, record.metadata, Source::Stored);
    }
    if profile.is_none()
        && let Some((name, key)) = from_env(known)
    {
        let credential = Credential::ApiKey { key };
        return usable(paths, project, address, credential, Metadata::default(), Source::Env(name));
    }
    let hint = format!("log in with: {}", login(paths, project, &address));
    Err(Error::NoCredential { what: address.to_string(), hint })
}

/// Reads a credential, and records that. What cannot be recorded just now is handed out all the same.
fn read(store: &Store, address: &Address) -> Result<Option<Record>, StoreError> {
    let found = store.get(address);
    let outcome = match &found {
        Ok(None) => return found,
        Ok(Some(record)) if record.metadata.expires_at.is_some_and(|at| at <= Timestamp::now()) => {
            Outcome::Failed("expired")
        }
        Ok(Some(_)) => Outcome::Ok,
        Err(error) => Outcome::Failed(error.code()),
    };
    let _ = store.audit(Action::Token, address, outcome);
    found
}

fn usable(
    paths: &Paths,
    project: &Name,
    address: Address,
    credential: Credential,
    metadata: Metadata,
    source: Source,
) -> Result<Resolved, Error> {
    if let Some(expiry) = metadata.expires_at.filter(|expiry| *expiry <= Timestamp::now()) {
        let ago = format!("{:#}", Timestamp::now().duration_since(expiry).round_to_seconds());
        let hint = format!("log in again with: {}", login(paths, project, &address));
        return Err(Error::Expired { what: address.to_string(), ago, hint });
    }
    Ok(Resolved { address, credential, metadata, source })
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
pub fn from_env(provider: &Descriptor) -> Option<(String, Secret)> {
    let own = format!("{}_API_KEY", provider.name.to_ascii_uppercase().replace(['-', '.'], "_"));
    let listed = provider.api_key.iter().flat_map(|api_key| api_key.env_var.iter());
    listed.chain([own.as_str()]).find_map(|name| {
        let value = env::var(name).ok()?;
        let value = value.trim();
        (!value.is_empty()).then(|| (name.to_owned(), Secret::new(value)))
    })
}

trait RoundToSeconds {
    fn round_to_seconds(self) -> Self;
}

impl RoundToSeconds for jiff::SignedDuration {
    fn round_to_seconds(self) -> Self {
        Self::from_secs(self.as_secs())
    }
}
