//! Logging out.

use super::Client;
use crate::{
    Error,
    lifecycle::{
        leave::{Leave, Left, leave},
        resolve::Source,
    },
    name::{Address, Name},
    project::Project,
    provider::Registry,
};

impl Client {
    /// Revokes a credential at its vendor and removes it from the store, whether or not that works; of the default
    /// profile, if none is named.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::NoCredential`], [`Error::Refresh`], [`Error::Store`]
    pub async fn logout(&self, provider: &str, profile: Option<&Name>) -> Result<Left, Error> {
        // A credential outlives its descriptor.
        let name: Name = match self.provider(provider) {
            Ok(known) => known.name.parse()?,
            Err(error) => provider.parse().map_err(|_| error)?,
        };
        let profile = profile.cloned().unwrap_or_else(Name::default_name);
        let address = Address { set: self.credential_set()?, provider: name, profile };
        self.leave(&address).await
    }

    async fn leave(&self, address: &Address) -> Result<Left, Error> {
        let registry = Registry::load_for(Some(&self.paths.providers()), address.provider.as_str());
        let provider = registry.get(address.provider.as_str()).ok();
        let project = Project::load(&self.paths.projects(), &self.project).map_err(Error::Project)?;
        leave(&self.paths, self.memory.as_ref(), provider, &project, address, Leave::Logout).await
    }

    /// The same for all credentials of the project's set. One that fails does not keep the others from being tried.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn logout_all(&self) -> Result<Vec<(Address, Result<Left, Error>)>, Error> {
        let mut results = Vec::new();
        for entry in self.list()? {
            if entry.found.is_some_and(|found| found.source == Source::Stored) {
                let left = self.leave(&entry.address).await;
                results.push((entry.address, left));
            }
        }
        Ok(results)
    }
}
