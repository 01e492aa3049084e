//! One word where a project and a provider could be meant.

use authenticate::{
    config::{project, suggest::nearest},
    context::Context,
    credential::{Address, Name},
    redact,
    store::{Listing, StoreError},
};

use super::{output, target::Target};

/// Whether one word alone is a provider: there is one of that name, and no project with a file.
pub fn is_provider(context: &Context, word: &Target) -> Result<bool, StoreError> {
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
    // A credential outlives its descriptor.
    Ok(stored(context)?.iter().any(|address| named(&address.provider)))
}

/// Where something is stored, whether it can be read or not.
pub fn stored(context: &Context) -> Result<Vec<Address>, StoreError> {
    let Some(store) = context.existing_store()? else { return Ok(Vec::new()) };
    let Listing { credentials, unreadable } = store.lock().listing(None)?;
    let unreadable = unreadable.into_iter().filter_map(|row| row.address);
    Ok(credentials.into_iter().map(|credential| credential.address).chain(unreadable).collect())
}

/// A word that is no provider, and a project only in that any name may be one: it has no file.
pub struct UnknownWord {
    word: String,
    nearest: Option<String>,
}

impl UnknownWord {
    /// Unless it is no such word.
    pub fn of(context: &Context, word: &Name) -> Option<Self> {
        let (projects, _) = project::names(&context.paths().projects());
        if projects.contains(word) {
            return None;
        }
        let unknown = context.registry().get(word.as_str()).err()?;
        let nearest = nearest(word.as_str(), projects.iter().map(Name::as_str)).map(str::to_owned);
        Some(Self { word: redact::quote(word.as_str()), nearest: nearest.or(unknown.nearest) })
    }

    /// Says what it is taken for, if something else may be meant.
    pub fn note(&self) {
        if self.nearest.is_some() {
            let did_you_mean = self.did_you_mean();
            output::note(&format!("{} is taken for a project without a file{did_you_mean}", self.word));
        }
    }

    /// Why it is taken for nothing.
    pub fn refused(&self) -> String {
        format!("{} is neither a provider nor a project with a file{}", self.word, self.did_you_mean())
    }

    fn did_you_mean(&self) -> String {
        self.nearest.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
    }
}
