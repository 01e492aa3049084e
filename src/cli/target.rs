//! The project, provider and profile that a command line names.

use std::str::FromStr;

use authenticate::{
    config::{project, suggest::nearest},
    context::Context,
    credential::{Address, DEFAULT, Name, NameError},
    redact,
    store::{Listing, StoreError},
};

use super::{failure::Failure, output};

/// `PROVIDER` or `PROVIDER:PROFILE`.
#[derive(Clone, Debug)]
pub struct Target {
    /// The provider, by its name or an alias.
    pub provider: String,
    /// The profile, if one is named.
    pub profile: Option<Name>,
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (provider, profile) = match text.split_once(':') {
            Some((provider, profile)) => (provider, Some(profile.parse()?)),
            None => (text, None),
        };
        if provider.is_empty() {
            provider.parse::<Name>()?;
        }
        Ok(Self { provider: provider.to_owned(), profile })
    }
}

/// An address as this program's arguments spell it.
pub fn spelled(address: &Address) -> String {
    match address.profile.as_str() {
        DEFAULT => address.provider.to_string(),
        profile => format!("{}:{profile}", address.provider),
    }
}

/// An address that may be typed, with placeholders for names that could be keys.
pub fn with_placeholders(address: &Address) -> Address {
    let safe = |name: &Name, place| {
        redact::redact_or(name.as_str(), place).parse().unwrap_or_else(|_| Name::default_name())
    };
    let (set, profile) = (safe(&address.set, "SET"), safe(&address.profile, "PROFILE"));
    Address { set, profile, ..address.clone() }
}

/// The project, and the provider or credential, that `[PROJECT|PROVIDER] [PROVIDER[:PROFILE]]` names.
pub fn scope(
    context: &Context,
    first: Option<Target>,
    second: Option<Target>,
) -> anyhow::Result<(Option<Name>, Option<Target>)> {
    match (first, second) {
        (None, _) => Ok((None, None)),
        (Some(word), None) if is_provider(context, &word)? => Ok((None, Some(word))),
        (Some(Target { profile: Some(_), .. }), _) => {
            Err(Failure::usage("the project comes first, then PROVIDER[:PROFILE]").into())
        }
        (Some(project), target) => Ok((Some(project.provider.parse()?), target)),
    }
}

/// Whether a single word is a provider: there is one of that name, and no project with a file.
fn is_provider(context: &Context, word: &Target) -> Result<bool, StoreError> {
    let registry = context.registry();
    let named = |name: &Name| name.as_str() == word.provider;
    if word.profile.is_some() {
        return Ok(true);
    }
    if project::names(&context.paths().projects()).0.iter().any(named) {
        return Ok(false);
    }
    if registry.get(&word.provider).is_ok() || !registry.problems_of(&word.provider).is_empty() {
        return Ok(true);
    }
    // A provider whose descriptor is gone may still have credentials.
    Ok(stored(context)?.iter().any(|address| named(&address.provider)))
}

/// The addresses of all stored credentials, readable or not.
pub fn stored(context: &Context) -> Result<Vec<Address>, StoreError> {
    let Some(store) = context.existing_store()? else { return Ok(Vec::new()) };
    let Listing { credentials, unreadable } = store.lock().listing(None)?;
    let unreadable = unreadable.into_iter().filter_map(|row| row.address);
    Ok(credentials.into_iter().map(|credential| credential.address).chain(unreadable).collect())
}

/// A word that is neither a provider nor a project with a file: it may be mistyped.
pub struct UnknownWord {
    word: String,
    /// The suggestion of another name; empty without one.
    did_you_mean: String,
}

impl UnknownWord {
    /// The word, unless it is a provider or a project with a file.
    pub fn of(context: &Context, word: &Name) -> Option<Self> {
        let (projects, _) = project::names(&context.paths().projects());
        if projects.contains(word) {
            return None;
        }
        let unknown = context.registry().get(word.as_str()).err()?;
        let project = nearest(word.as_str(), projects.iter().map(Name::as_str));
        let did_you_mean =
            project.or(unknown.nearest.as_deref()).map(|name| format!(" (did you mean {name:?}?)"));
        Some(Self { word: redact::quote(word.as_str()), did_you_mean: did_you_mean.unwrap_or_default() })
    }

    /// Notes that the word is taken for a project, if another name is close to it.
    pub fn note(&self) {
        let Self { word, did_you_mean } = self;
        if !did_you_mean.is_empty() {
            output::note(&format!("{word} is taken for a project without a file{did_you_mean}"));
        }
    }

    /// The error text for a command that does not accept such a word.
    pub fn refusal(&self) -> String {
        format!("{} is neither a provider nor a project with a file{}", self.word, self.did_you_mean)
    }
}
