//! Whether there is a credential at all.

use jiff::Timestamp;

use super::Client;
use crate::{
    Error,
    refresh::Refresh,
    resolve::{Expiring, Lookup, Request, Source},
    status::state::{self, CredentialState},
    store::SharedStore,
    ui::Nobody,
};

impl Client {
    /// Whether there is a credential that can be used, perhaps after it was renewed. A provider that needs none is not
    /// authenticated by that, nor by a login that has expired and that the vendor has ended. Nobody is asked.
    ///
    /// # Errors
    /// As [`crate::resolve::resolve`], but for [`Error::NoCredential`] and [`Error::Expired`], which are no.
    pub fn is_authenticated(&self, provider: &str) -> Result<bool, Error> {
        let request = self.complete(&Request::new(&self.project, provider));
        match self.look(&request) {
            Ok(Lookup::Ready(_)) => Ok(true),
            Ok(Lookup::Expiring(stale)) => self.is_of_use(&stale),
            Err(Error::NoCredential { .. } | Error::Expired { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether any provider is, in the client's set.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// assert!(client.is_any_authenticated()?);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]; when none is, the first error of those of [`Client::is_authenticated`].
    pub fn is_any_authenticated(&self) -> Result<bool, Error> {
        let mut first_error = None;
        for entry in self.list()? {
            let Some(found) = entry.details else { continue };
            let client = match found.source {
                Source::Override => return Ok(true),
                Source::Stored => self.clone().profile(entry.address.profile),
                Source::Env(_) => self.clone(),
            };
            match client.is_authenticated(entry.address.provider.as_str()) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(false), Err)
    }

    /// Whether a stale credential lasts still, or can be renewed as far as that is known.
    fn is_of_use(&self, stale: &Expiring) -> Result<bool, Error> {
        let (record, now) = (&stale.record, Timestamp::now());
        if record.metadata.expires_at.is_none_or(|expiry| expiry > now) {
            return Ok(true);
        }
        let store = SharedStore::open(self.store.as_ref(), &self.paths)?;
        let state = {
            let (store, address) = (store.lock(), &record.address);
            let of = |exchange| state::attempt_state(&store, address, &exchange, now);
            store.attempt(address)?.map(of).transpose()?
        };
        if let Some(CredentialState::NeedsLogin | CredentialState::Error) = state {
            return Ok(false);
        }
        let provider = match self.known(record.address.provider.as_str()) {
            Ok(provider) => provider,
            Err(Error::UnknownProvider(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let (paths, project) = (&self.paths, &self.project_file()?);
        let refresh =
            Refresh { paths, store: self.store.as_ref(), provider: &provider, project, ui: &Nobody };
        Ok(refresh.is_possible(record))
    }
}
