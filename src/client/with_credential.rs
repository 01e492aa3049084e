//! Credentials that a program gives.

use super::Client;
use crate::{
    Error,
    credential::{Address, Credential, Name},
    status::{Filter, StatusEntry},
};

/// A credential that is used in place of any other.
#[derive(Clone, Debug)]
pub(super) struct Override {
    provider: Name,
    /// The profile; `None` for every profile.
    profile: Option<Name>,
    credential: Credential,
}

impl Override {
    fn is_for(&self, provider: &Name, profile: Option<&Name>) -> bool {
        self.provider == *provider && (self.profile.is_none() || self.profile.as_ref() == profile)
    }
}

impl Client {
    /// Uses a credential for a provider in place of any other, for the client's profile or else for every profile. It is not
    /// stored. A profile must be chosen before: [`Client::profile`].
    ///
    /// ```
    /// # use authenticate::{Client, Credential, Paths, Source};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let client = Client::new(paths).with_credential("openai", Credential::api_key("sk-for-this-run"))?;
    /// let found = client.credential("openai").await?;
    /// assert_eq!(found.source, Source::Override);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// Blocks while configuration files are read.
    ///
    /// # Errors
    /// [`Error::Config`]
    pub fn with_credential(mut self, provider: &str, credential: Credential) -> Result<Self, Error> {
        let provider: Name = self.context.provider(provider)?.name.parse()?;
        let profile = self.profile.clone();
        self.overrides.retain(|known| known.provider != provider || known.profile != profile);
        self.overrides.push(Override { provider, profile, credential });
        Ok(self)
    }

    /// The credential given for a profile, or else for every profile.
    pub(super) fn override_for(&self, provider: &str, profile: Option<&Name>) -> Option<Credential> {
        if self.overrides.is_empty() {
            return None;
        }
        let registry = self.context.registry_for(provider);
        let name: Name = registry.get(provider).ok()?.name.parse().ok()?;
        let of = |is_for_one: bool| {
            let mut given = self.overrides.iter().filter(|given| given.profile.is_some() == is_for_one);
            given.find(|given| given.is_for(&name, profile)).map(|given| given.credential.clone())
        };
        of(true).or_else(|| of(false))
    }

    /// Replaces entries of one set by those of the given credentials.
    pub(super) fn add_overrides(
        &self,
        mut entries: Vec<StatusEntry>,
        filter: &Filter,
        set: &Name,
    ) -> Vec<StatusEntry> {
        let wanted = |given: &&Override| {
            let provider = filter.provider.as_ref().unwrap_or(&given.provider);
            let profile = filter.profile.as_ref().or(given.profile.as_ref());
            given.is_for(provider, profile)
        };
        let (of_all, of_one): (Vec<_>, Vec<_>) =
            self.overrides.iter().filter(wanted).partition(|given| given.profile.is_none());
        for given in of_all.into_iter().chain(of_one) {
            entries.retain(|entry| !given.is_for(&entry.address.provider, Some(&entry.address.profile)));
            let profile = filter.profile.as_ref().or(given.profile.as_ref());
            let profile = profile.cloned().unwrap_or_else(Name::default_name);
            let address = Address { set: set.clone(), provider: given.provider.clone(), profile };
            entries.push(StatusEntry::given(address, &given.credential, self.context.registry()));
        }
        entries.sort_by(|a, b| (&a.address.provider, &a.address).cmp(&(&b.address.provider, &b.address)));
        entries
    }
}
