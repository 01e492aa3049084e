//! Renewing a credential: once, however many ask, and never twice with the same refresh token.
//!
//! The turn of a credential is a lock file, so that a dead holder is in nobody's way; the exchange itself is recorded
//! in the store before the token is sent, so that nobody repeats one whose outcome is not known. No lock on the store is
//! held while the network is awaited.

mod cli;
mod error;
mod limits;
pub(crate) mod lock;
pub mod maintenance;
mod method;
mod other_account;
mod precheck;
mod server;
mod store_result;

use jiff::Timestamp;
use tokio::{sync::oneshot, task::JoinError};

pub use self::lock::TurnError;
pub use error::RefreshError;
pub(crate) use limits::LONGEST;
pub(crate) use method::is_possible;
pub use method::provider_of;
pub(crate) use precheck::died;

use self::{
    method::{Way, not, way},
    precheck::{Begin, begin, busy, check_postponed, check_remembered, moved_on},
    store_result::keep,
};
use crate::{
    config::{Paths, Project},
    credential::{Credential, Metadata, OAuth, Record},
    login::{How, LoginError, cli::ContainerLogin, oauth::regrant::Again},
    oauth::Http,
    provider::Provider,
    store::SharedStore,
    ui::{Event, Ui},
};

/// What renewing depends on.
pub struct Refresh<'a> {
    /// The program's directories.
    pub paths: &'a Paths,
    /// Where it is stored, in place of the data directory.
    pub store: Option<&'a SharedStore>,
    /// The credential's provider.
    pub provider: &'a Provider,
    /// The project that it is renewed for: its engine and network, where the vendor's CLI has to do it.
    pub project: &'a Project,
    /// Whom to show what takes long: an image that is built.
    pub ui: &'a dyn Ui,
}

/// What renewing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It was done, here and now.
    Now(Record),
    /// Somebody else had done it already, or it was not due.
    Before(Record),
}

impl Renewed {
    /// The credential as it is stored now.
    pub fn record(self) -> Record {
        match self {
            Self::Now(record) | Self::Before(record) => record,
        }
    }
}

/// What an exchange brought.
struct Fresh {
    credential: Credential,
    metadata: Metadata,
}

impl Refresh<'_> {
    /// Whether there is a way to renew the credential, not whether it would succeed.
    pub fn is_possible(&self, record: &Record) -> bool {
        way(self.provider, record).is_ok()
    }

    /// Renews a credential that is due, or in any case with `force`. Whoever asks meanwhile, in this process or
    /// another, waits and gets the same result, also when it is that the vendor cannot be reached.
    ///
    /// With `force` a token is sent that was refused, or of which it is not known what became of it: the vendor may
    /// take that for a theft and end the login.
    ///
    /// The exchange goes on to its end when the caller stops waiting for it: a vendor's answer is not lost.
    ///
    /// A store that cannot be written just then is tried for some minutes.
    ///
    /// # Errors
    /// [`RefreshError`]. The stored credential is as it was, or as somebody else left it. With [`RefreshError::NotStored`]
    /// that is the login as it was before, of which the refresh token is spent.
    pub async fn renew(&self, seen: &Record, force: bool) -> Result<Renewed, RefreshError> {
        let address = &seen.address;
        let patience = way(self.provider, seen)?.patience();
        // Open until the end, with its key: the vendor's answer must not be lost for want of either.
        let store = SharedStore::of(self.store, self.paths)?;
        store.lock().prepare()?;
        let asked = Timestamp::now();
        if !force {
            check_remembered(&store, seen)?;
            check_postponed(&store, seen, asked)?;
        }
        let moved_on = || match moved_on(&store, seen, force)? {
            None if !force => check_postponed(&store, seen, asked).map(|()| None),
            other => Ok(other),
        };
        let waited = lock::Turn::wait(self.paths, self.store, address, patience, moved_on).await;
        let turn = match waited? {
            lock::Waited::Ours(turn) => turn,
            lock::Waited::Done(record) => return Ok(Renewed::Before(record)),
            lock::Waited::TooLong => return Err(busy(&store, seen)),
        };
        // Whoever had the turn before may have been done just now.
        if let Some(record) = moved_on()? {
            return Ok(Renewed::Before(record));
        }
        let exchange: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = match way(self.provider, seen)? {
            Way::Server(endpoint) => {
                let http = self.http(seen)?;
                Box::pin(server::exchange(http, *endpoint, self.provider.clone(), seen.clone()))
            }
            Way::Again(endpoint, mode) => {
                let again = Again::of(self.provider, mode, address, self.paths, &store.lock());
                let again = again.map_err(|error| container(seen, error))?;
                let again = again.ok_or_else(|| not(seen, "its provider does not have its mode any more"))?;
                let http = self.http(seen)?;
                Box::pin(server::grant(http, *endpoint, again, self.provider.clone(), seen.clone()))
            }
            Way::Cli => {
                let how = How::default();
                let (provider, project) = (&self.provider.with_values()?, &self.project.with_values()?);
                let login = ContainerLogin {
                    paths: self.paths,
                    provider,
                    project,
                    address,
                    how: &how,
                    store: self.store,
                    ui: self.ui,
                };
                let renewal = login.prepare_renewal().await.map_err(|error| container(seen, error))?;
                Box::pin(cli::exchange(renewal, seen.clone()))
            }
        };
        let before = match begin(&store, seen, force)? {
            Begin::Now(before) => before,
            Begin::Moved(record) => return Ok(Renewed::Before(*record)),
        };
        let (store, seen) = (store.clone(), seen.clone());
        let (tell, told) = oneshot::channel();
        let mut rest = tokio::spawn(async move {
            let outcome = exchange.await;
            let kept = keep(&store, &seen, before, outcome, tell).await;
            drop(turn);
            kept
        });
        let ended = tokio::select! {
            ended = &mut rest => ended,
            Ok(why) = told => {
                self.ui.show(Event::Warning(&format!("the vendor's answer cannot be stored yet, trying on: {why}")));
                rest.await
            }
        };
        match ended.map_err(JoinError::try_into_panic) {
            Ok(kept) => kept,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_cancelled)) => Err(RefreshError::OutcomeUnknown {
                address: Box::new(address.clone()),
                since: Timestamp::now(),
                why: "the program ended before the vendor's answer was stored".to_owned(),
            }),
        }
    }
}

impl Refresh<'_> {
    fn http(&self, seen: &Record) -> Result<Http, RefreshError> {
        let bundle = self.project.ca_bundle_file()?;
        let failed = |source| RefreshError::Server { address: Box::new(seen.address.clone()), source };
        let http = Http::new(bundle.as_deref()).map_err(failed)?;
        http.unread().iter().for_each(|why| self.ui.show(Event::Unread(why)));
        Ok(http)
    }
}

/// A container's failure before the token was in it.
fn container(seen: &Record, error: LoginError) -> RefreshError {
    match error {
        LoginError::Busy { holder, .. } => RefreshError::Busy {
            address: Box::new(seen.address.clone()),
            holder: holder.map(|holder| holder.to_string()),
        },
        other => RefreshError::Container { address: Box::new(seen.address.clone()), source: Box::new(other) },
    }
}

/// The tokens of a credential with those of an answer in their place.
fn merged(before: &OAuth, tokens: crate::oauth::Tokens) -> OAuth {
    OAuth {
        access_token: tokens.access_token,
        // A server that does not rotate leaves it out (RFC 6749 section 6).
        refresh_token: tokens.refresh_token.or_else(|| before.refresh_token.clone()),
        id_token: tokens.id_token.or_else(|| before.id_token.clone()),
        extra: before.extra.clone(),
    }
}
