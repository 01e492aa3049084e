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

pub use self::lock::RefreshLockError;
pub use error::RefreshError;
pub(crate) use limits::LONGEST;
pub(crate) use method::is_refreshable;
pub use method::provider_of;
pub(crate) use precheck::mark_interrupted;

use self::{
    method::{RefreshMethod, not_refreshable, refresh_method},
    precheck::{BeginAttempt, already_refreshed, begin, busy, check_backoff, check_known_failure},
    store_result::store_result,
};
use crate::{
    config::{Paths, Project},
    credential::{Credential, Metadata, OAuth, Record},
    login::{LoginError, LoginOptions, cli::ContainerLogin, oauth::regrant::Regrant},
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
pub enum Refreshed {
    /// It was done, here and now.
    Now(Record),
    /// Somebody else had done it already, or it was not due.
    Earlier(Record),
}

impl Refreshed {
    /// The credential as it is stored now.
    pub fn record(self) -> Record {
        match self {
            Self::Now(record) | Self::Earlier(record) => record,
        }
    }
}

/// What an exchange brought.
struct RefreshResult {
    credential: Credential,
    metadata: Metadata,
}

impl Refresh<'_> {
    /// Whether there is a way to renew the credential, not whether it would succeed.
    pub fn is_possible(&self, record: &Record) -> bool {
        refresh_method(self.provider, record).is_ok()
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
    pub async fn refresh(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        let address = &seen.address;
        let patience = refresh_method(self.provider, seen)?.time_limit();
        // Open until the end, with its key: the vendor's answer must not be lost for want of either.
        let store = SharedStore::open(self.store, self.paths)?;
        store.lock().prepare()?;
        let asked = Timestamp::now();
        if !force {
            check_known_failure(&store, seen)?;
            check_backoff(&store, seen, asked)?;
        }
        let moved_on = || match already_refreshed(&store, seen, force)? {
            None if !force => check_backoff(&store, seen, asked).map(|()| None),
            other => Ok(other),
        };
        let waited = lock::RefreshLock::acquire(self.paths, self.store, address, patience, moved_on).await;
        let turn = match waited? {
            lock::Acquired::Held(turn) => turn,
            lock::Acquired::Done(record) => return Ok(Refreshed::Earlier(record)),
            lock::Acquired::TimedOut => return Err(busy(&store, seen)),
        };
        // Whoever had the turn before may have been done just now.
        if let Some(record) = moved_on()? {
            return Ok(Refreshed::Earlier(record));
        }
        let exchange: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            match refresh_method(self.provider, seen)? {
                RefreshMethod::Server(endpoint) => {
                    let http = self.http(seen)?;
                    Box::pin(server::send_refresh_token(http, *endpoint, self.provider.clone(), seen.clone()))
                }
                RefreshMethod::Regrant(endpoint, mode) => {
                    let again = Regrant::of(self.provider, mode, address, self.paths, &store.lock());
                    let again = again.map_err(|error| container_error(seen, error))?;
                    let again = again.ok_or_else(|| {
                        not_refreshable(seen, "its provider does not have its mode any more")
                    })?;
                    let http = self.http(seen)?;
                    Box::pin(server::repeat_grant(
                        http,
                        *endpoint,
                        again,
                        self.provider.clone(),
                        seen.clone(),
                    ))
                }
                RefreshMethod::Cli => {
                    let how = LoginOptions::default();
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
                    let renewal =
                        login.prepare_refresh().await.map_err(|error| container_error(seen, error))?;
                    Box::pin(cli::run_vendor_cli(renewal, seen.clone()))
                }
            };
        let before = match begin(&store, seen, force)? {
            BeginAttempt::Now(before) => before,
            BeginAttempt::Changed(record) => return Ok(Refreshed::Earlier(*record)),
        };
        let (store, seen) = (store.clone(), seen.clone());
        let (tell, told) = oneshot::channel();
        let mut rest = tokio::spawn(async move {
            let outcome = exchange.await;
            let kept = store_result(&store, &seen, before, outcome, tell).await;
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
        http.ignored_config().iter().for_each(|why| self.ui.show(Event::IgnoredConfig(why)));
        Ok(http)
    }
}

/// A container's failure before the token was in it.
fn container_error(seen: &Record, error: LoginError) -> RefreshError {
    match error {
        LoginError::Busy { holder, .. } => RefreshError::Busy {
            address: Box::new(seen.address.clone()),
            holder: holder.map(|holder| holder.to_string()),
        },
        other => RefreshError::Container { address: Box::new(seen.address.clone()), source: Box::new(other) },
    }
}

/// The tokens of a credential with those of an answer in their place.
fn merge_tokens(before: &OAuth, tokens: crate::oauth::Tokens) -> OAuth {
    OAuth {
        access_token: tokens.access_token,
        // A server that does not rotate leaves it out (RFC 6749 section 6).
        refresh_token: tokens.refresh_token.or_else(|| before.refresh_token.clone()),
        id_token: tokens.id_token.or_else(|| before.id_token.clone()),
        extra: before.extra.clone(),
    }
}
