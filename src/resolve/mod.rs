//! From what is asked for to the credential that is used.

pub mod commands;
pub mod ensure_fresh;
pub mod env;
pub mod expiry;
pub mod request;
pub(crate) mod variable;

use std::path::PathBuf;

use jiff::Timestamp;

use self::{
    commands::Commands,
    expiry::{expired, may_refresh},
};
pub use self::{
    env::{EnvCredential, from_env},
    expiry::{Expiring, refresh_margin},
    request::{FieldSource, Part, Request, Resolved, SkipReason, Skipped, Source},
};
use crate::{
    Error,
    config::{Paths, Project},
    credential::{Address, Credential, Kind, Metadata, Name, Owner, Record},
    provider::{Provider, Registry},
    redact,
    store::{Action, AttemptState, Outcome, RefreshAttempt, Store, StoreError},
};

/// What came of looking for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It can be used.
    Ready(Resolved),
    /// It has expired or is about to, and may be renewed first.
    Expiring(Expiring),
}

impl Lookup {
    /// What can be used without renewing anything.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn without_refresh(self) -> Result<Resolved, Error> {
        match self {
            Self::Ready(resolved) => Ok(resolved),
            Self::Expiring(stale) => stale.without_refresh(),
        }
    }
}

/// Finds the credential of a provider. The first of these is used:
///
/// 1. the credential that the request gives,
/// 2. the profile that it names: that one or none,
/// 3. of the project's order of profiles (`profiles` in its file) the first that is stored and has not expired, or can
///    be renewed, as far as is known; those before it are in [`Resolved::skipped`],
/// 4. of the other profiles the default one, or the only one,
/// 5. when nothing is stored, the provider's environment variables ([`from_env`]).
///
/// Blank fields are filled from the environment ([`env::fill_blank_fields`]). The registry is read only when the store does not
/// know the name, or the credential has fields.
///
/// Nothing is renewed here, and no network is asked: who can renew does so with [`Lookup::Expiring`], who cannot
/// takes it [as it is](Lookup::without_refresh).
///
/// That a stored secret is handed out is recorded in the audit log, and so is why one is not. One that is stale is
/// recorded by whoever renews it ([`keep`](self::ensure_fresh::ensure_fresh)). See [`inspect_in`].
///
/// # Errors
/// [`Error::NoCredential`], [`Error::Expired`], [`Error::SeveralAccounts`], [`Error::UnknownProvider`],
/// [`Error::Descriptor`], [`Error::Project`], [`Error::Store`]
pub fn resolve(paths: &Paths, request: &Request) -> Result<Lookup, Error> {
    let store = Store::open_existing(paths)?;
    resolve_in(store.as_ref(), paths, request)
}

/// The same, from an open store, or none.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_in(store: Option<&Store>, paths: &Paths, request: &Request) -> Result<Lookup, Error> {
    find(store, paths, request, Purpose::HandOut)
}

/// As [`resolve_in`], for who wants to know and not to have: nothing is recorded, for nothing is handed out.
///
/// # Errors
/// As [`resolve`].
pub fn inspect_in(store: Option<&Store>, paths: &Paths, request: &Request) -> Result<Lookup, Error> {
    find(store, paths, request, Purpose::Inspect)
}

/// The stored credential that [`resolve_in`] would take, whether or not it has expired; `None` if that would look in the
/// environment. Nothing is recorded, for nothing is handed out.
///
/// # Errors
/// [`Error::SeveralAccounts`], [`Error::UnknownProvider`], [`Error::Descriptor`], [`Error::Project`], [`Error::Store`]
pub fn choose_stored(
    store: Option<&Store>,
    paths: &Paths,
    request: &Request,
) -> Result<Option<StoredChoice>, Error> {
    let project = Project::load(&paths.projects(), &request.project).map_err(Error::Project)?;
    let set = request.set.clone().unwrap_or_else(|| project.set());
    let search = Search { store, paths, request, project: &project, set, purpose: Purpose::Inspect };
    let typed = request.provider.as_str();
    if let Ok(name) = typed.parse()
        && let Some(chosen) = search.choose(&name)?
    {
        return Ok(Some(chosen));
    }
    let registry = Registry::load_one(paths, typed);
    let name = name_of(&registry, typed)?;
    if name.as_str() == typed { Ok(None) } else { search.choose(&name) }
}

/// The name of a provider. What is stored under it is found, whatever is wrong with the provider's files.
fn name_of(registry: &Registry, typed: &str) -> Result<Name, Error> {
    let known = registry.get(typed).or_else(|_| registry.usable(typed))?;
    Ok(known.name.parse()?)
}

fn find(store: Option<&Store>, paths: &Paths, request: &Request, purpose: Purpose) -> Result<Lookup, Error> {
    let project = Project::load(&paths.projects(), &request.project).map_err(Error::Project)?;
    let set = request.set.clone().unwrap_or_else(|| project.set());
    let search = Search { store, paths, request, project: &project, set, purpose };
    let typed = request.provider.as_str();
    if request.given.is_none()
        && let Ok(name) = typed.parse()
        && let Some(found) = search.stored(&name)?
    {
        return Ok(found);
    }
    let registry = Registry::load_one(paths, typed);
    let name = name_of(&registry, typed)?;
    if let Some(credential) = &request.given {
        return Ok(Lookup::Ready(search.given(name, credential)));
    }
    if name.as_str() != typed
        && let Some(found) = search.stored(&name)?
    {
        return Ok(found);
    }
    // From here on it is the files that say what is used.
    let known = registry.usable(typed)?;
    let found = if request.profile.is_none() { from_env(known)? } else { None };
    match found {
        Some(found) => Ok(Lookup::Ready(search.in_environment(name, found))),
        None => Err(search.nothing(known, name)),
    }
}

/// What came of waiting for somebody else: what is stored there now is judged as what was found there first.
pub(crate) fn re_evaluate(
    paths: &Paths,
    project: &Project,
    request: &Request,
    before: Expiring,
    now: Record,
) -> Result<Lookup, Error> {
    let set = now.address.set.clone();
    let search = Search { store: None, paths, request, project, set, purpose: Purpose::Inspect };
    let found = search.evaluate(now, before.skipped).and_then(|found| search.check_part(found))?;
    Ok(match found {
        Lookup::Expiring(stale) => Lookup::Expiring(Expiring { key: before.key, ..stale }),
        ready => ready,
    })
}

/// What a credential is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Its secret is handed out.
    HandOut,
    /// Whether and how it is.
    Inspect,
}

struct Search<'a> {
    store: Option<&'a Store>,
    paths: &'a Paths,
    request: &'a Request,
    project: &'a Project,
    set: Name,
    purpose: Purpose,
}

/// A stored credential that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChoice {
    /// The credential, as it is stored.
    pub record: Record,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
}

impl Search<'_> {
    fn address(&self, provider: &Name, profile: Name) -> Address {
        Address { set: self.set.clone(), provider: provider.clone(), profile }
    }

    /// What came of the credential that is meant of those that are stored under this very name, if there is any.
    fn stored(&self, provider: &Name) -> Result<Option<Lookup>, Error> {
        let Some(StoredChoice { record, skipped }) = self.choose(provider)? else { return Ok(None) };
        let address = record.address.clone();
        let found = self.evaluate(record, skipped).and_then(|found| self.check_part(found));
        match &found {
            Ok(Lookup::Ready(_)) => self.record(&address, Outcome::Ok),
            Ok(Lookup::Expiring(_)) => {}
            Err(error) => self.record(&address, Outcome::Failed(error.code())),
        }
        found.map(Some)
    }

    /// What has no such part is not handed out.
    fn check_part(&self, found: Lookup) -> Result<Lookup, Error> {
        match &found {
            Lookup::Ready(resolved) => resolved.part(&self.request.part)?,
            Lookup::Expiring(stale) => Resolved::stored(stale.record.clone()).part(&self.request.part)?,
        };
        Ok(found)
    }

    /// Which of them is meant. Of those in the project's order it is one that has expired only if there is no other.
    fn choose(&self, provider: &Name) -> Result<Option<StoredChoice>, Error> {
        let Some(store) = self.store else { return Ok(None) };
        let get = |profile: Name| self.get(store, &self.address(provider, profile));
        let chosen = |record, skipped| Ok(Some(StoredChoice { record, skipped }));
        if let Some(profile) = &self.request.profile {
            return Ok(get(profile.clone())?.map(|record| StoredChoice { record, skipped: Vec::new() }));
        }
        let order = self.project.order(provider.as_str(), |key| self.is_alias(key, provider));
        let (mut skipped, mut first_over) = (Vec::new(), None);
        for profile in &order {
            let why = match get(profile.clone())? {
                None => SkipReason::NotStored,
                Some(record) => match self.unusable_reason(store, &record)? {
                    Some(why) => {
                        first_over.get_or_insert(record);
                        why
                    }
                    None => return chosen(record, skipped),
                },
            };
            skipped.push(Skipped { address: self.address(provider, profile.clone()), reason: why });
        }
        let default = Name::default_name();
        if !order.contains(&default)
            && let Some(record) = get(default)?
        {
            return chosen(record, skipped);
        }
        let mut others = store.profiles(provider, &self.set)?;
        others.retain(|profile| !order.contains(profile));
        match (others.as_slice(), first_over) {
            ([], over) => Ok(over.map(|record| StoredChoice { record, skipped: Vec::new() })),
            ([only], _) => Ok(get(only.clone())?.map(|record| StoredChoice { record, skipped })),
            (several, _) => Err(Error::SeveralAccounts {
                provider: provider.to_string(),
                profiles: several.iter().map(Name::to_string).collect(),
            }),
        }
    }

    fn get(&self, store: &Store, address: &Address) -> Result<Option<Record>, StoreError> {
        store.get(address).inspect_err(|error| self.record(address, Outcome::Failed(error.code())))
    }

    /// What cannot be recorded just now is handed out all the same.
    fn record(&self, address: &Address, outcome: Outcome) {
        if let (Some(store), Purpose::HandOut) = (self.store, self.purpose) {
            let _ = store.audit(Action::Token, address, outcome);
        }
    }

    /// Whether it has expired, and nothing can renew it, or nothing may.
    fn unusable_reason(&self, store: &Store, record: &Record) -> Result<Option<SkipReason>, StoreError> {
        if record.metadata.expires_at.is_none_or(|at| at > Timestamp::now()) {
            return Ok(None);
        }
        if !may_refresh(self.paths, record) {
            return Ok(Some(SkipReason::Expired));
        }
        let known = store.attempt(&record.address)?;
        let is_ended =
            |known: &RefreshAttempt| known.version == record.version && known.state != AttemptState::InFlight;
        Ok(known.filter(is_ended).map(|_| SkipReason::NeedsLogin))
    }

    fn is_alias(&self, key: &str, provider: &Name) -> bool {
        let registry = Registry::load_one(self.paths, key);
        registry.get(key).is_ok_and(|known| known.name == provider.as_str())
    }

    /// Whether a stored credential can be used, or renewed.
    fn evaluate(&self, record: Record, skipped: Vec<Skipped>) -> Result<Lookup, Error> {
        let now = Timestamp::now();
        let is_near =
            |expiry: &Timestamp| expiry.duration_since(now) <= refresh_margin(record.updated_at, *expiry);
        if let Some(expiry) = record.metadata.expires_at.filter(is_near) {
            let hint = || match record.metadata.owner {
                Owner::Us => format!("log in again with: {}", self.commands().login(&record.address)),
                Owner::Vendor => {
                    let import = self.commands().import(&record.address);
                    match self.moving_from(&record.address) {
                        Some(directory) => format!(
                            "it was taken out of the files of its own tool, and is not ours yet: go on with: {import} --from {} --move",
                            redact::shell_quote(&directory)
                        ),
                        None => format!("its own tool may have renewed it: read it again with: {import}"),
                    }
                }
            };
            if may_refresh(self.paths, &record) {
                let key = self.store.map(Store::cached_key).unwrap_or_default();
                return Ok(Lookup::Expiring(Expiring { hint: hint(), record, skipped, key }));
            }
            if expiry <= now {
                return Err(expired(&record.address, expiry, hint()));
            }
        }
        let resolved = match record.credential.kind() {
            Kind::Fields | Kind::Basic => self.filled(record)?,
            _ => Resolved::stored(record),
        };
        Ok(Lookup::Ready(Resolved { skipped, ..resolved }))
    }

    /// A stored credential with its blank fields filled.
    fn filled(&self, record: Record) -> Result<Resolved, Error> {
        let name = record.address.provider.as_str();
        let registry = Registry::load_one(self.paths, name);
        let known = registry.get(name).ok();
        let (credential, fields) = env::fill_blank_fields(record.credential, known.map(|known| &**known))?;
        if !env::is_complete(&credential) {
            let variables: Vec<String> = fields.iter().filter_map(|field| field.variable.clone()).collect();
            let hint = match variables.as_slice() {
                [] => format!("log in again with: {}", self.commands().login(&record.address)),
                some => {
                    format!(
                        "set {}, or log in again with: {}",
                        some.join(", "),
                        self.commands().login(&record.address)
                    )
                }
            };
            return Err(Error::NoCredential { what: record.address.to_string(), hint });
        }
        let Record { address, metadata, .. } = record;
        let (source, skipped) = (Source::Stored, Vec::new());
        Ok(Resolved { address, credential, metadata, source, fields, skipped })
    }

    fn moving_from(&self, address: &Address) -> Option<PathBuf> {
        self.store.and_then(|store| store.move_source(address).ok().flatten())
    }

    fn given(&self, provider: Name, credential: &Credential) -> Resolved {
        let profile = self.request.profile.clone().unwrap_or_else(Name::default_name);
        Resolved {
            address: self.address(&provider, profile),
            credential: credential.clone(),
            metadata: Metadata::default(),
            source: Source::Override,
            fields: of_one_source(credential, &Source::Override),
            skipped: Vec::new(),
        }
    }

    fn in_environment(&self, provider: Name, found: EnvCredential) -> Resolved {
        Resolved {
            address: self.address(&provider, Name::default_name()),
            credential: found.credential,
            metadata: Metadata::default(),
            source: Source::Env(found.variable),
            fields: found.fields,
            skipped: Vec::new(),
        }
    }

    fn nothing(&self, known: &Provider, provider: Name) -> Error {
        let profile = self.request.profile.clone().unwrap_or_else(Name::default_name);
        let address = self.address(&provider, profile);
        let unneeded = known.api.as_ref().is_some_and(|api| api.key_optional);
        let hint = match unneeded {
            true => format!("it may need none; log in with: {}", self.commands().login_typed(&address)),
            false => format!("log in with: {}", self.commands().login_typed(&address)),
        };
        Error::NoCredential { what: address.redacted(), hint }
    }

    fn commands(&self) -> Commands<'_> {
        Commands { project: self.project, name: &self.request.project }
    }
}

impl Resolved {
    pub(crate) fn stored(record: Record) -> Self {
        let Record { address, credential, metadata, .. } = record;
        let fields = of_one_source(&credential, &Source::Stored);
        Self { address, credential, metadata, source: Source::Stored, fields, skipped: Vec::new() }
    }
}

pub(crate) fn of_one_source(credential: &Credential, source: &Source) -> Vec<FieldSource> {
    let field = |name| FieldSource { name, source: Some(source.clone()), variable: None };
    credential.field_names().into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::credential::{OAuth, Secret};

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

    fn resolves(provider: &str, credential: &Credential, metadata: &Metadata) -> Result<Lookup, Error> {
        let (_directory, paths) = place();
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile(provider.parse().expect("a name"));
        store.put(&address, credential, metadata).expect("stored");
        resolve_in(Some(&store), &paths, &Request::new(&Name::default_name(), provider))
    }

    #[test]
    fn the_margin_is_five_minutes_or_a_tenth_of_the_lifetime() {
        let margin = |lifetime| {
            let now = Timestamp::now();
            refresh_margin(now, now + SignedDuration::from_secs(lifetime)).as_secs()
        };
        assert_eq!([margin(86_400), margin(3_000), margin(600), margin(-5)], [300, 300, 60, 0]);
    }

    #[test]
    fn what_can_be_renewed_is_stale_when_it_has_expired() {
        let Ok(Lookup::Expiring(stale)) = resolves("codex", &oauth(Some("refresh")), &expiring(-10)) else {
            panic!("not stale");
        };
        assert_eq!(stale.hint(), "log in again with: authenticate default codex");
        assert!(matches!(stale.without_refresh(), Err(Error::Expired { .. })));
    }

    #[test]
    fn what_has_time_left_is_ready() {
        let found = resolves("codex", &oauth(Some("refresh")), &expiring(3600)).expect("found");
        assert!(matches!(found, Lookup::Ready(_)), "{found:?}");
        let found = resolves("codex", &oauth(Some("refresh")), &Metadata::default()).expect("found");
        assert!(matches!(found, Lookup::Ready(_)), "{found:?}");
    }

    #[test]
    fn without_a_way_to_renew_it_is_used_to_its_end_and_refused_after() {
        assert!(matches!(resolves("codex", &oauth(None), &expiring(-10)), Err(Error::Expired { .. })));
        let token = Credential::Token { token: "t".into() };
        assert!(matches!(resolves("gh", &token, &expiring(-10)), Err(Error::Expired { .. })));
        assert!(matches!(resolves("gh", &token, &expiring(0)), Err(Error::Expired { .. })));
    }

    #[test]
    fn what_a_vendors_tool_keeps_alive_is_not_ours_to_renew() {
        let vendors = Metadata { owner: Owner::Vendor, ..expiring(-10) };
        let Err(error @ Error::Expired { .. }) = resolves("codex", &oauth(Some("refresh")), &vendors) else {
            panic!("not expired");
        };
        assert!(error.hint().expect("a hint").ends_with("authenticate import default codex"), "{error:?}");
    }

    #[test]
    fn a_vendors_own_cli_renews_without_a_refresh_token_of_ours() {
        let found = resolves("claude", &oauth(None), &expiring(-10)).expect("found");
        assert!(matches!(found, Lookup::Expiring(_)), "{found:?}");
    }
}
