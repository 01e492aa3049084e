//! The search among stored credentials.

use std::path::PathBuf;

use super::{
    Lookup, ResolveError,
    env::{self, EnvCredential},
    request::{Request, Resolved, SkipReason, Skipped, Source, fields_from},
    stored_choice::{StoredChoice, expired},
};
use crate::{
    context::Context,
    credential::{Address, Credential, Kind, Metadata, Name, Record},
    refresh::{is_due, may_refresh},
    store::{Action, AttemptState, Outcome, RefreshAttempt, Store, StoreError},
};

/// The purpose of a search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To hand the secret out: the audit log gets an entry.
    HandOut,
    /// To find out which credential it is, and its state.
    Inspect,
}

/// A search for one request.
pub(super) struct Search<'a> {
    context: &'a Context,
    request: &'a Request,
    store: Option<&'a Store>,
    set: Name,
    purpose: Purpose,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        context: &'a Context,
        request: &'a Request,
        store: Option<&'a Store>,
        purpose: Purpose,
    ) -> Result<Self, ResolveError> {
        // The project's file is read even where the set is given: a wrong file is an error in any case.
        context.project()?;
        let set = context.set(request.set.as_ref())?;
        Ok(Self { context, request, store, set, purpose })
    }

    fn address(&self, provider: &Name, profile: Name) -> Address {
        Address { set: self.set.clone(), provider: provider.clone(), profile }
    }

    /// The stored credential under exactly this provider name, evaluated.
    pub(super) fn stored(&self, provider: &Name) -> Result<Option<Lookup>, ResolveError> {
        let Some(StoredChoice { record, skipped }) = self.choose(provider)? else { return Ok(None) };
        let address = record.address.clone();
        let found = self.evaluate(record, skipped).and_then(|found| self.check_part(found));
        match &found {
            Ok(Lookup::Ready(_)) => self.audit(&address, Outcome::Ok),
            Ok(Lookup::Expiring(_)) => {}
            Err(error) => self.audit(&address, Outcome::Failed(error.code())),
        }
        found.map(Some)
    }

    /// Refuses a credential that does not have the part asked for.
    pub(super) fn check_part(&self, found: Lookup) -> Result<Lookup, ResolveError> {
        match &found {
            Lookup::Ready(resolved) => resolved.part(&self.request.part)?,
            Lookup::Expiring(expiring) => {
                Resolved::stored(expiring.record.clone()).part(&self.request.part)?
            }
        };
        Ok(found)
    }

    /// Chooses among the stored profiles of a provider. An expired one of the project's order is chosen only if there is
    /// no other.
    pub(super) fn choose(&self, provider: &Name) -> Result<Option<StoredChoice>, ResolveError> {
        let Some(store) = self.store else { return Ok(None) };
        let found = self.choose_in(store, provider)?;
        if found.is_none() {
            let profile = self.request.profile.clone();
            let wanted = self.address(provider, profile.unwrap_or_else(Name::default_name));
            store.refuse_damaged_name(&wanted, self.request.profile.is_none())?;
        }
        Ok(found)
    }

    fn choose_in(&self, store: &Store, provider: &Name) -> Result<Option<StoredChoice>, ResolveError> {
        let get = |profile: Name| self.get(store, &self.address(provider, profile));
        if let Some(profile) = &self.request.profile {
            return Ok(get(profile.clone())?.map(|record| StoredChoice { record, skipped: Vec::new() }));
        }
        let is_alias = |key: &str| self.is_alias(key, provider);
        let order = self.context.project()?.order(provider.as_str(), is_alias);
        let (mut skipped, mut first_unusable) = (Vec::new(), None);
        for profile in &order {
            let reason = match get(profile.clone())? {
                None => SkipReason::NotStored,
                Some(record) => match self.unusable_reason(store, &record)? {
                    None => return Ok(Some(StoredChoice { record, skipped })),
                    Some(reason) => {
                        first_unusable.get_or_insert(record);
                        reason
                    }
                },
            };
            skipped.push(Skipped { address: self.address(provider, profile.clone()), reason });
        }
        let default = Name::default_name();
        if !order.contains(&default)
            && let Some(record) = get(default)?
        {
            return Ok(Some(StoredChoice { record, skipped }));
        }
        let mut others = store.profiles(provider, &self.set)?;
        others.retain(|profile| !order.contains(profile));
        match (others.as_slice(), first_unusable) {
            ([], unusable) => Ok(unusable.map(|record| StoredChoice { record, skipped: Vec::new() })),
            ([only], _) => Ok(get(only.clone())?.map(|record| StoredChoice { record, skipped })),
            (several, _) => Err(ResolveError::SeveralAccounts {
                provider: provider.to_string(),
                profiles: several.iter().map(Name::to_string).collect(),
            }),
        }
    }

    fn get(&self, store: &Store, address: &Address) -> Result<Option<Record>, StoreError> {
        store.get(address).inspect_err(|error| self.audit(address, Outcome::Failed(error.code())))
    }

    /// Writes to the audit log. A credential is handed out even if that fails.
    fn audit(&self, address: &Address, outcome: Outcome) {
        if let (Some(store), Purpose::HandOut) = (self.store, self.purpose) {
            let _ = store.audit(Action::Token, address, outcome);
        }
    }

    /// The reason to pass over a credential: it has expired and cannot be refreshed.
    fn unusable_reason(&self, store: &Store, record: &Record) -> Result<Option<SkipReason>, StoreError> {
        if record.metadata.expires_at.is_none_or(|at| at > crate::clock::now()) {
            return Ok(None);
        }
        if !may_refresh(self.context, record) {
            return Ok(Some(SkipReason::Expired));
        }
        let known = store.attempt(&record.address)?;
        let has_ended =
            |known: &RefreshAttempt| known.version == record.version && known.state != AttemptState::InFlight;
        Ok(known.filter(has_ended).map(|_| SkipReason::NeedsLogin))
    }

    fn is_alias(&self, key: &str, provider: &Name) -> bool {
        let registry = self.context.registry_for(key);
        registry.get(key).is_ok_and(|known| known.name == provider.as_str())
    }

    /// Decides whether a stored credential can be used, or should be refreshed first.
    pub(super) fn evaluate(&self, record: Record, skipped: Vec<Skipped>) -> Result<Lookup, ResolveError> {
        let now = crate::clock::now();
        if is_due(&record, now) {
            if may_refresh(self.context, &record) {
                return Ok(Lookup::Expiring(StoredChoice { record, skipped }));
            }
            if record.metadata.expires_at.is_some_and(|end| end <= now) {
                return Err(expired(&record, self.move_source(&record.address)));
            }
        }
        let resolved = match record.credential.kind() {
            Kind::Fields | Kind::Basic => self.with_filled_fields(record)?,
            _ => Resolved::stored(record),
        };
        Ok(Lookup::Ready(Resolved { skipped, ..resolved }))
    }

    fn with_filled_fields(&self, record: Record) -> Result<Resolved, ResolveError> {
        let name = record.address.provider.as_str();
        let registry = self.context.registry_for(name);
        let known = registry.get(name).ok();
        let (credential, fields) = env::fill_blank_fields(record.credential, known.map(|known| &**known))?;
        if !env::is_complete(&credential) {
            let variables = fields.iter().filter_map(|field| field.variable.clone()).collect();
            return Err(ResolveError::Incomplete { address: Box::new(record.address), variables });
        }
        let Record { address, metadata, .. } = record;
        Ok(Resolved { address, credential, metadata, source: Source::Stored, fields, skipped: Vec::new() })
    }

    fn move_source(&self, address: &Address) -> Option<PathBuf> {
        self.store.and_then(|store| store.move_source(address).ok().flatten())
    }

    pub(super) fn given(&self, provider: Name, credential: &Credential) -> Resolved {
        let profile = self.request.profile.clone().unwrap_or_else(Name::default_name);
        Resolved {
            address: self.address(&provider, profile),
            credential: credential.clone(),
            metadata: Metadata::default(),
            source: Source::Override,
            fields: fields_from(credential, &Source::Override),
            skipped: Vec::new(),
        }
    }

    pub(super) fn in_environment(&self, provider: Name, found: EnvCredential) -> Resolved {
        Resolved {
            address: self.address(&provider, Name::default_name()),
            credential: found.credential,
            metadata: Metadata::default(),
            source: Source::Env(found.variable),
            fields: found.fields,
            skipped: Vec::new(),
        }
    }

    pub(super) fn not_found(&self, provider: Name, key_optional: bool) -> ResolveError {
        let profile = self.request.profile.clone().unwrap_or_else(Name::default_name);
        ResolveError::NotFound { address: Box::new(self.address(&provider, profile)), key_optional }
    }
}
