//! What there is.

use super::Client;
use crate::{
    Error,
    lifecycle::overview::{Entry, Filter, overview},
    provider::Registry,
    store::Store,
};

impl Client {
    /// What there is for the project, and what can be done with it, without any secret.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub fn list(&self) -> Result<Vec<Entry>, Error> {
        self.entries(false)
    }

    /// The same, and every other provider that is known.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn list_all(&self) -> Result<Vec<Entry>, Error> {
        self.entries(true)
    }

    fn entries(&self, all: bool) -> Result<Vec<Entry>, Error> {
        let registry = Registry::load(Some(&self.paths.providers()));
        let filter = Filter { set: Some(self.credential_set()?), all, ..Filter::default() };
        match &self.store {
            Some(store) => overview(Some(&store.lock()), &registry, &filter),
            None => overview(Store::open_existing(&self.paths)?.as_ref(), &registry, &filter),
        }
    }
}
