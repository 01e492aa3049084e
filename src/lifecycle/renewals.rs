//! Renewing what is stored: one credential by its address, or each that can be renewed.

use super::refresh::{Refresh, RefreshError, Renewed};
use crate::{
    Error,
    credential::Record,
    exit,
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::Registry,
    store::{HeldKey, SharedStore, StoreError},
    ui::Ui,
};

/// What renewing stored credentials depends on.
pub struct Renewals<'a> {
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
    /// Renew what is not due yet, too, and what was refused: see [`Refresh::renew`].
    pub force: bool,
}

/// A stored credential, whatever its state, with the key that it took: whoever renews it need not get that again.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The credential.
    pub record: Record,
    _key: HeldKey,
}

/// What became of each of several credentials.
pub type Each<T> = Vec<(Address, Result<T, Error>)>;

impl Renewals<'_> {
    /// The credential at an address.
    ///
    /// # Errors
    /// [`Error::NoCredential`], [`Error::UnknownProvider`] when nothing is stored there and nobody knows the provider,
    /// [`Error::Store`]
    pub fn stored(&self, address: &Address) -> Result<Stored, Error> {
        if let Some(store) = SharedStore::existing(self.store, self.paths)?
            && let Some(stored) = read(&store, address)?
        {
            return Ok(stored);
        }
        self.registry.get(address.provider.as_str())?;
        let hint = "see what is stored with: authenticate status".to_owned();
        Err(Error::NoCredential { what: address.typed(), hint })
    }

    /// All of one set and one profile, or of all. One that does not open is an error of its own.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn all_stored(&self, set: Option<&Name>, profile: Option<&Name>) -> Result<Each<Stored>, Error> {
        let Some(store) = SharedStore::existing(self.store, self.paths)? else { return Ok(Vec::new()) };
        let summaries = store.lock().list(set)?;
        let mut all = Vec::new();
        for address in summaries.into_iter().map(|summary| summary.address) {
            if profile.is_some_and(|profile| *profile != address.profile) {
                continue;
            }
            match read(&store, &address) {
                Ok(Some(stored)) => all.push((address, Ok(stored))),
                Ok(None) => {}
                Err(error @ StoreError::NotOpened { .. }) => all.push((address, Err(error.into()))),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(all)
    }

    /// Renews one.
    ///
    /// # Errors
    /// [`Error::Refresh`], and [`Error::UnknownProvider`] when nobody knows its provider any more.
    pub async fn renew(&self, stored: &Stored) -> Result<Renewed, Error> {
        let provider = self.registry.get(stored.record.address.provider.as_str())?;
        let refresh =
            Refresh { paths: self.paths, store: self.store, provider, project: self.project, ui: self.ui };
        Ok(refresh.renew(&stored.record, self.force).await?)
    }

    /// Renews each that can be renewed, and leaves out the others: what becomes of one is nothing to the rest.
    ///
    /// # Errors
    /// Only when the person interrupts it.
    pub async fn renew_each(&self, all: Each<Stored>) -> Result<Each<Renewed>, Error> {
        let mut results = Vec::new();
        for (address, stored) in all {
            let result = match stored {
                Ok(stored) => self.renew(&stored).await,
                Err(error) => Err(error),
            };
            match result {
                // Nothing to be said of a key that lasts for ever.
                Err(Error::Refresh(RefreshError::NotRenewable { .. }) | Error::UnknownProvider(_)) => {}
                // It is not stored any more.
                Err(Error::Refresh(RefreshError::Gone { .. })) => {}
                Err(error) if error.exit_code() == exit::INTERRUPTED => return Err(error),
                result => results.push((address, result)),
            }
        }
        Ok(results)
    }
}

fn read(store: &SharedStore, address: &Address) -> Result<Option<Stored>, StoreError> {
    let store = store.lock();
    Ok(store.get(address)?.map(|record| Stored { record, _key: store.hold_key() }))
}
