//! Renewing what is stored: one credential by its address, or each that can be renewed.

use crate::{
    Error,
    config::{Paths, Project},
    credential::{Address, Name, Record},
    exit,
    provider::Registry,
    refresh::{Refresh, RefreshError, Refreshed, provider_of},
    resolve::{
        StoredChoice, choose_stored,
        request::{Request, Skipped, address_of},
    },
    store::{CachedKey, Listing, SharedStore, StoreError, Unreadable},
    ui::Ui,
};

/// What renewing stored credentials depends on.
pub struct RefreshAll<'a> {
    /// The program's directories.
    pub paths: &'a Paths,
    /// Where they are stored, in place of the data directory.
    pub store: Option<&'a SharedStore>,
    /// The providers.
    pub registry: &'a Registry,
    /// The project that they are renewed for.
    pub project: &'a Project,
    /// Whom to show what takes long.
    pub ui: &'a dyn Ui,
    /// Renew what is not due yet, too, and what was refused: see [`Refresh::refresh`].
    pub force: bool,
}

/// A stored credential, whatever its state, with the key that it took: whoever renews it need not get that again.
#[derive(Clone, Debug)]
pub struct StoredCredential {
    /// The credential.
    pub record: Record,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
    _key: CachedKey,
}

/// What became of each of several credentials.
pub type Results<T> = Vec<(Address, Result<T, Error>)>;

impl RefreshAll<'_> {
    /// The stored credential that is asked for, found as [`resolve`](crate::resolve::resolve) finds it.
    ///
    /// # Errors
    /// [`Error::NoCredential`], and what [`choose_stored`] has.
    pub fn choose(&self, request: &Request) -> Result<StoredCredential, Error> {
        let store = SharedStore::open_existing(self.store, self.paths)?;
        let store = store.as_ref().map(SharedStore::lock);
        if let Some(StoredChoice { record, skipped }) = choose_stored(store.as_deref(), self.paths, request)?
        {
            let key = store.map(|store| store.cached_key()).unwrap_or_default();
            return Ok(StoredCredential { record, skipped, _key: key });
        }
        let set = request.set.clone().unwrap_or_else(|| self.project.set());
        let address = address_of(self.registry, set, &request.provider, request.profile.as_ref())?;
        let hint = "see what is stored with: authenticate status".to_owned();
        Err(Error::NoCredential { what: address.redacted(), hint })
    }

    /// All of one set and one profile, or of all. One that does not open is an error of its own; rows that nobody can tell
    /// whose they are come beside them.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn all_stored(
        &self,
        set: Option<&Name>,
        profile: Option<&Name>,
    ) -> Result<(Results<StoredCredential>, Vec<Unreadable>), Error> {
        let Some(store) = SharedStore::open_existing(self.store, self.paths)? else {
            return Ok(Default::default());
        };
        let store = store.lock();
        let Listing { credentials, unreadable } = store.listing(set)?;
        let (mut all, mut nameless) = (Results::new(), Vec::new());
        let is_wanted = |address: &Address| profile.is_none_or(|profile| *profile == address.profile);
        for row in unreadable {
            match row.address.clone() {
                Some(address) if is_wanted(&address) => {
                    all.push((address, Err(StoreError::Unreadable(Box::new(row)).into())));
                }
                Some(_) => {}
                None => nameless.push(row),
            }
        }
        for address in credentials.into_iter().map(|summary| summary.address).filter(is_wanted) {
            match store.get(&address) {
                Ok(Some(record)) => {
                    let stored = StoredCredential { record, skipped: Vec::new(), _key: store.cached_key() };
                    all.push((address, Ok(stored)));
                }
                Ok(None) => {}
                // One that does not open, or is none.
                Err(error @ (StoreError::NotOpened { .. } | StoreError::Decode { .. })) => {
                    all.push((address, Err(error.into())));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok((all, nameless))
    }

    /// Renews one.
    ///
    /// # Errors
    /// [`Error::Refresh`]
    pub async fn refresh(&self, stored: &StoredCredential) -> Result<Refreshed, Error> {
        let provider = provider_of(self.registry, &stored.record)?;
        let refresh =
            Refresh { paths: self.paths, store: self.store, provider, project: self.project, ui: self.ui };
        Ok(refresh.refresh(&stored.record, self.force).await?)
    }

    /// Renews each that can be renewed, and leaves out the others: what becomes of one is nothing to the rest. What was done
    /// is in `results`, whatever ends it.
    ///
    /// # Errors
    /// Only when the person interrupts it.
    pub async fn refresh_each(
        &self,
        all: Results<StoredCredential>,
        results: &mut Results<Refreshed>,
    ) -> Result<(), Error> {
        for (address, stored) in all {
            let result = match stored {
                Ok(stored) => self.refresh(&stored).await,
                Err(error) => Err(error),
            };
            match result {
                // Nothing to be said of a key that lasts for ever.
                Err(Error::Refresh(RefreshError::NotRefreshable { .. })) => {}
                // It is not stored any more.
                Err(Error::Refresh(RefreshError::Gone { .. })) => {}
                Err(error) if error.exit_code() == exit::INTERRUPTED => return Err(error),
                result => results.push((address, result)),
            }
        }
        Ok(())
    }
}
