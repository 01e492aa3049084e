//! Renewing.

use super::Client;
use crate::{
    Error,
    lifecycle::resolve::{Request, Resolved},
    name::Address,
};

impl Client {
    /// Renews a provider's credential if it is about to expire, and returns what is then there.
    ///
    /// # Errors
    /// As [`Client::credential`].
    pub async fn refresh(&self, provider: &str) -> Result<Resolved, Error> {
        self.credential(provider).await
    }

    /// The same for all of the project's set that can be renewed. One that fails does not keep the others from being
    /// tried.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn refresh_all(&self) -> Result<Vec<(Address, Result<Resolved, Error>)>, Error> {
        let mut results = Vec::new();
        let entries = self.list()?.into_iter();
        for entry in entries.filter(|entry| entry.found.as_ref().is_some_and(|found| found.refreshable)) {
            let Address { set, provider, profile } = entry.address.clone();
            let request = Request {
                set: Some(set),
                profile: Some(profile),
                ..Request::new(&self.project, provider.as_str())
            };
            results.push((entry.address, self.find(&request).await));
        }
        Ok(results)
    }
}
