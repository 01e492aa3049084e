//! All that there is, and how it is, without a secret.

pub mod state;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::state::CredentialState;
use crate::{
    Error,
    credential::{Address, Credential, Kind, Metadata, Name},
    provider::{Mode, Provider, Registry},
    resolve::{
        env::{from_env, kind_in},
        of_one_source,
        request::{FieldSource, Source},
        variable,
    },
    store::{Store, StoreError, Summary, Unreadable},
};

/// What is to be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this set. Of all sets otherwise; what the environment has counts to the default one.
    pub set: Option<Name>,
    /// Only this provider, by its name, not an alias; listed even if there is nothing.
    pub provider: Option<Name>,
    /// Only this profile.
    pub profile: Option<Name>,
    /// Every provider that is known, even if there is nothing.
    pub all: bool,
}

/// A credential, or a provider of which there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// Where it is, or would be.
    pub address: Address,
    /// The provider's label; its name, where nothing is known of the provider any more.
    pub label: String,
    /// The ways to get one.
    pub modes: Vec<Mode>,
    /// What there is; `None`: nothing, or nothing that can be read.
    pub details: Option<Details>,
    /// What is stored, and cannot be read.
    pub unreadable: Option<Unreadable>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The credentials, and the providers of which there is none.
    pub entries: Vec<StatusEntry>,
    /// What is stored and cannot be read, and has no address either. Only if everything of a set, or all, is listed.
    pub nameless: Vec<Unreadable>,
}

/// What is known of a credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Its kind.
    pub kind: Kind,
    /// What is known of it.
    pub metadata: Metadata,
    /// When it was first stored; `None` for what is not stored.
    pub created_at: Option<Timestamp>,
    /// When it was last replaced, or renewed.
    pub updated_at: Option<Timestamp>,
    /// The OAuth client that we renew it as, where that is known.
    pub client_id: Option<String>,
    /// Where it is from.
    pub source: Source,
    /// Of several fields, where each comes from.
    pub fields: Vec<FieldSource>,
    /// How it is.
    pub state: CredentialState,
    /// Whether we can renew it.
    pub refreshable: bool,
    /// Whether logging out asks the vendor to revoke it.
    pub revocable: bool,
}

impl StatusEntry {
    /// Of a credential that the program has already, and that is used in place of any other at this address.
    pub fn given(address: Address, credential: &Credential, registry: &Registry) -> Self {
        let provider = registry.by_name(address.provider.as_str());
        let found = Details {
            kind: credential.kind(),
            metadata: Metadata::default(),
            created_at: None,
            updated_at: None,
            client_id: None,
            source: Source::Override,
            fields: of_one_source(credential, &Source::Override),
            state: CredentialState::Ok,
            refreshable: false,
            revocable: false,
        };
        Self {
            label: provider.map_or(address.provider.as_str(), |known| &known.label).to_owned(),
            modes: provider.map(|known| known.modes.clone()).unwrap_or_default(),
            address,
            details: Some(found),
            unreadable: None,
        }
    }
}

/// Everything that is stored or in the environment. No secret is read. What cannot be read hides nothing else.
///
/// # Errors
/// [`Error::Store`]
pub fn status(store: Option<&Store>, registry: &Registry, filter: &Filter) -> Result<Status, Error> {
    let stored = store.map(|store| store.listing(filter.set.as_ref())).transpose()?.unwrap_or_default();
    let now = Timestamp::now();
    let by_exchange = store.map(|store| attempt_states(store, now)).transpose()?.unwrap_or_default();
    let is_wanted = |address: &Address| {
        filter.provider.as_ref().is_none_or(|provider| *provider == address.provider)
            && filter.profile.as_ref().is_none_or(|profile| *profile == address.profile)
    };
    let mut entries: Vec<StatusEntry> = stored
        .credentials
        .into_iter()
        .filter(|summary| is_wanted(&summary.address))
        .map(|summary| stored_details(summary, registry, &by_exchange, now))
        .collect();
    let is_everything = filter.provider.is_none() && filter.profile.is_none();
    let mut nameless = Vec::new();
    for row in stored.unreadable {
        match row.address.clone() {
            Some(address) if is_wanted(&address) => entries.push(unreadable_entry(address, row, registry)),
            None if is_everything => nameless.push(row),
            Some(_) | None => {}
        }
    }
    sort(&mut entries);
    let here = filter.set.clone().unwrap_or_else(Name::default_name);
    // As they are listed, so that none need be looked through for each provider.
    let of = |entries: &[StatusEntry], name: &Name| {
        let from = entries.partition_point(|entry| entry.address.provider < *name);
        let to = entries.partition_point(|entry| entry.address.provider <= *name);
        (from < to, entries[from..to].iter().any(|entry| entry.address.set == here))
    };
    let mut more = Vec::new();
    for provider in registry.iter() {
        let name: Name = provider.name.parse()?;
        let address = Address {
            set: here.clone(),
            provider: name.clone(),
            profile: filter.profile.clone().unwrap_or_else(Name::default_name),
        };
        let (is_stored, is_stored_here) = of(&entries, &name);
        if is_stored_here || !is_wanted(&address) {
            continue;
        }
        // A profile is one that was stored; the environment has none.
        let found = environment_details(provider, registry).filter(|_| filter.profile.is_none());
        let is_asked_for = filter.all || filter.provider.is_some();
        if found.is_some() || (is_asked_for && !is_stored) {
            let (label, modes) = (provider.label.clone(), provider.modes.clone());
            more.push(StatusEntry { address, label, modes, details: found, unreadable: None });
        }
    }
    entries.extend(more);
    sort(&mut entries);
    Ok(Status { entries, nameless })
}

fn sort(entries: &mut [StatusEntry]) {
    entries.sort_by(|a, b| (&a.address.provider, &a.address).cmp(&(&b.address.provider, &b.address)));
}

/// What is known by the exchanges of refresh tokens.
type AttemptStates = BTreeMap<Address, CredentialState>;

fn attempt_states(store: &Store, now: Timestamp) -> Result<AttemptStates, StoreError> {
    let state = |(address, exchange): (Address, _)| {
        state::attempt_state(store, &address, &exchange, now).map(|state| (address, state))
    };
    store.attempts()?.into_iter().map(state).collect()
}

fn unreadable_entry(address: Address, row: Unreadable, registry: &Registry) -> StatusEntry {
    let provider = registry.by_name(address.provider.as_str());
    StatusEntry {
        label: provider.map_or(address.provider.as_str(), |known| &known.label).to_owned(),
        modes: provider.map(|known| known.modes.clone()).unwrap_or_default(),
        address,
        details: None,
        unreadable: Some(row),
    }
}

fn stored_details(
    summary: Summary,
    registry: &Registry,
    by_exchange: &AttemptStates,
    now: Timestamp,
) -> StatusEntry {
    let provider = registry.by_name(summary.address.provider.as_str());
    // Nothing is sent while a file of the provider is wrong.
    let sends = registry.problems_of(summary.address.provider.as_str()).is_empty();
    let fields = provider.map(|provider| fields(&summary, provider)).unwrap_or_else(|| Ok(Vec::new()));
    let state = match &fields {
        Ok(_) => state::credential_state(&summary, by_exchange.get(&summary.address).copied(), now),
        Err(_) => CredentialState::Error,
    };
    let found = Details {
        kind: summary.kind,
        source: Source::Stored,
        fields: fields.unwrap_or_else(|fields| fields),
        state,
        refreshable: sends && state::is_refreshable(&summary, provider.map(|provider| &**provider)),
        revocable: sends && state::is_revocable(&summary, provider.map(|provider| &**provider)),
        created_at: Some(summary.created_at),
        updated_at: Some(summary.updated_at),
        client_id: state::refresh_client(&summary, provider.map(|provider| &**provider)),
        metadata: summary.metadata,
    };
    StatusEntry {
        label: provider.map_or(summary.address.provider.as_str(), |known| &known.label).to_owned(),
        modes: provider.map(|known| known.modes.clone()).unwrap_or_default(),
        address: summary.address,
        details: Some(found),
        unreadable: None,
    }
}

/// As an error, if a variable that is used for one of them cannot hold one.
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
                    let value = variable::read_secret(variable).inspect_err(|_| is_wrong = true);
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
    let (kind, variable, fields, state) = match from_env(provider) {
        Ok(found) => {
            let found = found?;
            let is_sound = registry.problems_of(&provider.name).is_empty();
            let state = if is_sound { CredentialState::Ok } else { CredentialState::Error };
            (found.credential.kind(), found.variable, found.fields, state)
        }
        Err(Error::Variable { name, .. }) => {
            (kind_in(provider, &name), name, Vec::new(), CredentialState::Error)
        }
        Err(_) => return None,
    };
    Some(Details {
        kind,
        metadata: Metadata::default(),
        created_at: None,
        updated_at: None,
        client_id: None,
        source: Source::Env(variable),
        fields,
        state,
        refreshable: false,
        revocable: false,
    })
}
