//! Refreshing a credential: once for all tasks and processes that ask, and never twice with the same refresh token.
//!
//! The refresh lock of a credential is a file lock, which the system releases when its holder dies. The attempt is recorded in the
//! store before the refresh token is sent, so that an attempt whose outcome is unknown is not repeated. No lock on the store is
//! held while the network is awaited.

mod accept;
mod cli;
mod due;
mod error;
mod limits;
pub(crate) mod lock;
pub mod maintenance;
mod method;
mod misfit;
mod precheck;
mod server;
mod store_result;

use std::{pin::Pin, sync::Arc};

use tokio::{sync::oneshot, task::JoinError};

pub use self::{accept::accept, lock::RefreshLockError};
pub(crate) use due::is_due;
pub use due::refresh_margin;
pub use error::RefreshError;
pub(crate) use limits::LONGEST;
pub(crate) use method::may_refresh;

use self::{
    lock::RefreshLock,
    method::{RefreshMethod, provider_of, refresh_method},
    precheck::{Asked, busy, known_failure},
    store_result::store_result,
};
use crate::{
    blocking,
    context::Context,
    credential::{Credential, Metadata, Record},
    login::LoginError,
    provider::Provider,
    store::{BeginOutcome, SharedStore},
    ui::Event,
};

/// A refresh of a provider's credential.
pub struct Refresh {
    context: Context,
    provider: Provider,
}

/// The outcome of a refresh that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// This call refreshed the credential.
    Now(Record),
    /// Another task or process had refreshed it, or it was not due.
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

/// The credential that a vendor returned for a refresh token.
#[derive(Clone)]
struct RefreshResult {
    credential: Credential,
    metadata: Metadata,
    /// The problem of a response that cannot be used as it is.
    problem: Option<&'static str>,
}

/// A prepared refresh: nothing is sent before it is awaited.
type PreparedRefresh = Pin<Box<dyn Future<Output = Result<RefreshResult, RefreshError>> + Send>>;

impl Refresh {
    /// A refresh of a credential. The descriptor of its provider must be valid, because it says where tokens are sent.
    ///
    /// # Errors
    /// [`RefreshError::Config`], [`RefreshError::NotRefreshable`]
    pub fn of(context: &Context, record: &Record) -> Result<Self, RefreshError> {
        let registry = context.registry_for(record.address.provider.as_str());
        let provider = provider_of(&registry, record)?.clone();
        Ok(Self { context: context.clone(), provider })
    }

    /// Refreshes a credential as [`Refresh::refresh`] does. Its descriptor is read on a thread where blocking is allowed.
    ///
    /// # Errors
    /// As [`Refresh::of`] and [`Refresh::refresh`].
    pub async fn now(context: &Context, record: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        let (context, seen) = (context.clone(), record.clone());
        let refresh = blocking::run(move || Self::of(&context, &seen)).await?;
        refresh.refresh(record, force).await
    }

    /// Whether there is a method of refreshing the credential, not whether that would succeed.
    pub fn is_possible(&self, record: &Record) -> bool {
        refresh_method(&self.provider, record).is_ok()
    }

    /// Refreshes a credential if it is due or `force` is set, at most once. Other tasks and processes that ask meanwhile wait
    /// and get the same result; a failure of the vendor, too, unless they force another try.
    ///
    /// With `force` a refresh token is sent even if it was rejected, or if the outcome of its last use is unknown: the
    /// vendor may treat that as theft and end the login.
    ///
    /// The attempt runs to its end even if the caller stops waiting, so that the vendor's answer is not lost. Storing it is
    /// retried for some minutes.
    ///
    /// # Errors
    /// [`RefreshError`]. On error this call has not changed the credential. After [`RefreshError::NotStored`] it still holds
    /// the old refresh token, which the vendor has consumed.
    pub async fn refresh(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        let at = crate::clock::now();
        let method = refresh_method(&self.provider, seen)?;
        let (limit, consumes_token) = (method.time_limit(), method.consumes_token());
        let asked = Arc::new(Asked { seen: seen.clone(), force, at, consumes_token });
        // The store stays open, with its key, so that the vendor's answer can be stored.
        let store = self.context.prepared_store().await?;
        asked.run(&store, Asked::check).await?;
        let Some(lock) = RefreshLock::acquire(&store, &seen.address, limit).await? else {
            let address = seen.address.clone();
            return Err(store.run(move |store| busy(store, &address)).await);
        };
        // The last holder of the lock may have stored new tokens.
        if let Some(record) = asked.run(&store, Asked::is_done).await? {
            return Ok(Refreshed::Earlier(record));
        }
        let prepared = self.prepare(&store, seen).await?;
        self.run_to_the_end(store, asked, prepared, lock).await
    }

    /// Prepares a refresh. Everything that can fail without the refresh token being sent fails here.
    async fn prepare(&self, store: &SharedStore, seen: &Record) -> Result<PreparedRefresh, RefreshError> {
        let (context, provider) = (self.context.clone(), self.provider.clone());
        let (store, seen) = (store.clone(), seen.clone());
        match refresh_method(&provider, &seen)? {
            RefreshMethod::Token(endpoint, token, parameters) => {
                let exchange =
                    move || server::prepare_exchange(&context, provider, seen, *endpoint, token, parameters);
                blocking::run(exchange).await
            }
            RefreshMethod::Grant(endpoint, mode, parameters) => {
                let grant = move || {
                    let grant = server::grant(&context, &provider, &store, &seen, mode, parameters)?;
                    server::prepare_grant(&context, provider, seen, *endpoint, grant)
                };
                blocking::run(grant).await
            }
            RefreshMethod::Cli => {
                let prepared = cli::prepare(&context, &provider, &seen).await?;
                Ok(Box::pin(cli::run_vendor_cli(prepared, seen)))
            }
        }
    }

    /// Runs a prepared refresh and stores its result, in a task that continues when the caller stops waiting.
    async fn run_to_the_end(
        &self,
        store: SharedStore,
        asked: Arc<Asked>,
        prepared: PreparedRefresh,
        lock: RefreshLock,
    ) -> Result<Refreshed, RefreshError> {
        let address = asked.seen.address.clone();
        let (tell, trouble) = oneshot::channel();
        let mut task = tokio::spawn(async move {
            // Recorded here, because an attempt that is recorded must be made.
            let before = match asked.run(&store, Asked::begin).await? {
                BeginOutcome::Started(before) => before,
                BeginOutcome::Changed => {
                    return asked.run(&store, Asked::stored).await.map(Refreshed::Earlier);
                }
                BeginOutcome::AlreadyRecorded(before) => return Err(known_failure(&asked.seen, before)),
            };
            let outcome = prepared.await;
            let stored = store_result(&store, &asked, before, outcome, tell).await;
            drop(lock);
            stored
        });
        let ended = tokio::select! {
            ended = &mut task => ended,
            Ok(why) = trouble => {
                let text = format!("cannot store the vendor's answer yet, trying again: {why}");
                self.context.ui().show(Event::Warning(&text));
                task.await
            }
        };
        match ended.map_err(JoinError::try_into_panic) {
            Ok(stored) => stored,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_cancelled)) => Err(RefreshError::OutcomeUnknown {
                address: Box::new(address),
                since: crate::clock::now(),
                why: "the program ended before the vendor's answer was stored".to_owned(),
            }),
        }
    }
}

/// A failure of the container, or of the secrets of a grant.
fn container_error(seen: &Record, error: LoginError) -> RefreshError {
    match error {
        LoginError::Busy { holder, .. } => RefreshError::Busy {
            address: Box::new(seen.address.clone()),
            holder: holder.map(|holder| holder.to_string()),
        },
        other => RefreshError::Container { address: Box::new(seen.address.clone()), source: Box::new(other) },
    }
}
