//! The status of all credentials, without their secrets.

pub mod state;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::state::{CredentialState, RefreshProblem};
use crate::{
    context::Context,
    credential::{Address, Credential, Kind, Metadata, Name},
    provider::{Mode, Provider, Registry},
    resolve::{
        ResolveError,
        env::{from_env, kind_in, read_field},
        request::{FieldSource, Source, fields_from},
    },
    store::{Listing, RefreshAttempt, SharedStore, Store, StoreError, Summary, Unreadable},
};

/// A filter of the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this set; by default all sets. Credentials in the environment belong to the set `default`.
    pub set: Option<Name>,
    /// Only this provider, by its name, not an alias. It is listed even if it has no credential.
    pub provider: Option<Name>,
    /// Only this profile.
    pub profile: Option<Name>,
    /// Every known provider, even without a credential.
    pub all: bool,
}

/// The status of a credential, or of a provider without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// The address at which it is or would be stored.
    pub address: Address,
    /// The provider's label; its name for a provider that is not known any more.
    pub label: String,
    /// The provider's modes.
    pub modes: Vec<Mode>,
    /// The credential's details; `None` if there is none, or none that can be read.
    pub details: Option<Details>,
    /// The stored row, if it cannot be read.
    pub unreadable: Option<Unreadable>,
}

/// The status of all credentials that match a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The credentials, and the providers without one.
    pub entries: Vec<StatusEntry>,
    /// Stored rows that cannot be read and have no valid address. Only if the filter names neither provider nor profile.
    pub nameless: Vec<Unreadable>,
}

/// The details of a credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The kind.
    pub kind: Kind,
    /// The metadata.
    pub metadata: Metadata,
    /// The time when it was first stored; `None` for a credential that is not stored.
    pub created_at: Option<Timestamp>,
    /// The time when it was last replaced or refreshed.
    pub updated_at: Option<Timestamp>,
    /// The OAuth client that refreshes it, if it is known.
    pub client_id: Option<String>,
    /// The origin.
    pub source: Source,
    /// The origin of each field, for a credential with several.
    pub fields: Vec<FieldSource>,
    /// The state.
    pub state: CredentialState,
    /// The reason why it is not refreshed any more.
    pub refresh_problem: Option<RefreshProblem>,
    /// Whether we can refresh it.
    pub refreshable: bool,
    /// Whether a logout asks the vendor to revoke it.
    pub revocable: bool,
}

impl Details {
    /// The details of a usable credential that is not stored.
    fn unstored(kind: Kind, source: Source, fields: Vec<FieldSource>) -> Self {
        Self {
            kind,
            metadata: Metadata::default(),
            created_at: None,
            updated_at: None,
            client_id: None,
            source,
            fields,
            state: CredentialState::Ok,
            refresh_problem: None,
            refreshable: false,
            revocable: false,
        }
    }
}

impl StatusEntry {
    fn new(address: Address, provider: Option<&Provider>, details: Option<Details>) -> Self {
        Self {
            label: provider.map_or(address.provider.as_str(), |known| &known.label).to_owned(),
            modes: provider.map(|known| known.modes.clone()).unwrap_or_default(),
            address,
            details,
            unreadable: None,
        }
    }

    /// The entry of a credential that the program gave, and that is used in place of any other at this address.
    pub fn given(address: Address, credential: &Credential, registry: &Registry) -> Self {
        let fields = fields_from(credential, &Source::Override);
        let details = Details::unstored(credential.kind(), Source::Override, fields);
        let provider = registry.by_name(address.provider.as_str());
        Self::new(address, provider, Some(details))
    }
}

/// Lists all credentials that are stored or in the environment, without reading secrets. An unreadable row hides no other.
///
/// # Errors
/// As [`Store::open_existing`].
pub fn status(context: &Context, filter: &Filter) -> Result<Status, StoreError> {
    let registry = context.registry();
    let mut status = match context.existing_store()? {
        Some(store) => stored(&store, registry, filter)?,
        None => Status::default(),
    };
    let more = unstored_entries(&status.entries, registry, filter);
    status.entries.extend(more);
    status.entries.sort_by(|a, b| (&a.address.provider, &a.address).cmp(&(&b.address.provider, &b.address)));
    Ok(status)
}

fn stored(store: &SharedStore, registry: &Registry, filter: &Filter) -> Result<Status, StoreError> {
    let store = store.lock();
    let Listing { credentials, unreadable } = store.listing(filter.set.as_ref())?;
    let now = crate::clock::now();
    let attempts = attempt_states(&store, now)?;
    let mut entries: Vec<StatusEntry> = credentials
        .into_iter()
        .filter(|summary| filter.matches(&summary.address))
        .map(|summary| stored_entry(summary, registry, &attempts, now))
        .collect();
    let is_everything = filter.provider.is_none() && filter.profile.is_none();
    let mut nameless = Vec::new();
    for row in unreadable {
        match row.address.clone() {
            Some(address) if filter.matches(&address) => {
                let provider = registry.by_name(address.provider.as_str());
                let entry = StatusEntry::new(address, provider, None);
                entries.push(StatusEntry { unreadable: Some(row), ..entry });
            }
            None if is_everything => nameless.push(row),
            Some(_) | None => {}
        }
    }
    Ok(Status { entries, nameless })
}

/// Entries for credentials in the environment, and for providers that are listed without one.
fn unstored_entries(entries: &[StatusEntry], registry: &Registry, filter: &Filter) -> Vec<StatusEntry> {
    let set = filter.set.clone().unwrap_or_else(Name::default_name);
    // The providers with stored credentials, and whether they have one in this set.
    let mut stored: BTreeMap<&Name, bool> = BTreeMap::new();
    for entry in entries {
        *stored.entry(&entry.address.provider).or_default() |= entry.address.set == set;
    }
    let mut more = Vec::new();
    for provider in registry.iter() {
        let Ok(name) = provider.name.parse::<Name>() else { continue };
        let profile = filter.profile.clone().unwrap_or_else(Name::default_name);
        let is_stored_here = stored.get(&name).copied();
        let address = Address { set: set.clone(), provider: name, profile };
        if is_stored_here == Some(true) || !filter.matches(&address) {
            continue;
        }
        // Only stored credentials have profiles.
        let details = environment_details(provider, registry).filter(|_| filter.profile.is_none());
        let is_asked_for = filter.all || filter.provider.is_some();
        if details.is_some() || (is_asked_for && is_stored_here.is_none()) {
            more.push(StatusEntry::new(address, Some(provider), details));
        }
    }
    more
}

impl Filter {
    /// Whether an address matches the filter's provider and profile.
    fn matches(&self, address: &Address) -> bool {
        self.provider.as_ref().is_none_or(|provider| *provider == address.provider)
            && self.profile.as_ref().is_none_or(|profile| *profile == address.profile)
    }
}

/// The states of credentials according to their refresh attempts, with these.
type AttemptStates = BTreeMap<Address, (CredentialState, RefreshAttempt)>;

fn attempt_states(store: &Store, now: Timestamp) -> Result<AttemptStates, StoreError> {
    let state = |(address, attempt): (Address, RefreshAttempt)| {
        state::attempt_state(store, &address, &attempt, now).map(|state| (address, (state, attempt)))
    };
    store.attempts()?.into_iter().map(state).collect()
}

fn stored_entry(
    summary: Summary,
    registry: &Registry,
    attempts: &AttemptStates,
    now: Timestamp,
) -> StatusEntry {
    let provider = registry.by_name(summary.address.provider.as_str());
    let descriptor = provider.map(|provider| &**provider);
    // Nothing is sent while a file of the provider is invalid.
    let may_send = registry.problems_of(summary.address.provider.as_str()).is_empty();
    let fields = provider.map_or(Ok(Vec::new()), |provider| fields(&summary, provider));
    let attempt = attempts.get(&summary.address);
    let state = match &fields {
        Ok(_) => state::credential_state(&summary, attempt.map(|(state, _)| *state), now),
        Err(_) => CredentialState::Error,
    };
    let refresh_problem = attempt.and_then(|(state, attempt)| RefreshProblem::of(&summary, *state, attempt));
    let details = Details {
        kind: summary.kind,
        source: Source::Stored,
        fields: fields.unwrap_or_else(|fields| fields),
        state,
        refresh_problem,
        refreshable: may_send && state::is_refreshable(&summary, descriptor),
        revocable: may_send && state::is_revocable(&summary, descriptor),
        created_at: Some(summary.created_at),
        updated_at: Some(summary.updated_at),
        client_id: state::refresh_client(&summary, descriptor),
        metadata: summary.metadata,
    };
    StatusEntry::new(summary.address, provider, Some(details))
}

/// The origin of each field; as an error, if the variable of one holds no valid value.
fn fields(summary: &Summary, provider: &Provider) -> Result<Vec<FieldSource>, Vec<FieldSource>> {
    if !matches!(summary.kind, Kind::Fields | Kind::Basic) || summary.parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut is_wrong = false;
    let described = provider.all_fields().into_iter();
    let fields = described
        .map(|(name, field)| {
            let source = match (summary.parts.contains(&name), &field.env_var) {
                (true, _) => Some(Source::Stored),
                (false, Some(variable)) => {
                    let value = read_field(variable).inspect_err(|_| is_wrong = true);
                    value.ok().flatten().map(|_| Source::Env(variable.clone()))
                }
                (false, None) => None,
            };
            FieldSource { name, source, variable: field.env_var }
        })
        .collect();
    if is_wrong { Err(fields) } else { Ok(fields) }
}

fn environment_details(provider: &Provider, registry: &Registry) -> Option<Details> {
    let found = from_env(provider);
    let is_usable = found.is_ok() && registry.problems_of(&provider.name).is_empty();
    let details = match found {
        Ok(found) => {
            let found = found?;
            Details::unstored(found.credential.kind(), Source::Env(found.variable), found.fields)
        }
        Err(ResolveError::Variable { name, .. }) => {
            Details::unstored(kind_in(provider, &name), Source::Env(name), Vec::new())
        }
        Err(_) => return None,
    };
    let state = if is_usable { CredentialState::Ok } else { CredentialState::Error };
    Some(Details { state, ..details })
}
