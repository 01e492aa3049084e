//! Importing a login that a vendor's own tool has made on this machine: reading it, or taking it over.

mod error;
mod tool_dir;

use std::path::{Path, PathBuf};

pub use self::error::ImportError;
use self::tool_dir::ToolDir;
use super::{LoginError, cli::other_provider, record::LoginLock, store::audit_failure};
use crate::{
    context::Context,
    credential::{Address, Credential, Metadata, Name, Owner, Record},
    provider::{Provider, descriptor::RefreshStrategy},
    store::{Action, Store, Swap},
    vendor_files::{self, CaptureError, Captured, Choice, Removed},
};

/// The number of tries while the vendor's tool changes its files.
const TRIES: usize = 3;

/// The options of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The directory of the vendor's tool. Default: where the tool itself looks, by the descriptor's `home_dir`.
    pub from: Option<PathBuf>,
    /// The login, if the tool has several. One of another provider is stored as that provider's.
    pub choice: Choice,
    /// Take the login over: the vendor's tool loses it.
    pub take_over: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
}

/// An import that is decided on and not yet begun.
#[derive(Debug)]
pub struct Import {
    context: Context,
    provider: Provider,
    source: Address,
    address: Address,
    directory: ToolDir,
    choice: Choice,
    take_over: bool,
}

/// An imported login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The credential as it is stored.
    pub record: Record,
    /// The vendor's file that held it; the directory, if an earlier import had removed it from its file.
    pub file: PathBuf,
    /// The removal from that file; `None` if the vendor's tool keeps the login.
    pub removed: Option<RemovedFrom>,
}

/// The removal of a login from the vendor's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedFrom {
    /// This import removed it.
    Now(Removed),
    /// An earlier import, which was killed, had removed it.
    Earlier,
}

impl Imported {
    /// Whether the vendor's tool will make this copy useless when it refreshes the login: its refresh token rotates.
    pub fn becomes_outdated(&self) -> bool {
        let Credential::OAuth(oauth) = &self.record.credential else { return false };
        self.removed.is_none() && oauth.refresh_token.is_some()
    }
}

impl Import {
    /// Decides on provider, address and directory. Nothing is read or written yet.
    ///
    /// # Errors
    /// [`LoginError::Config`], [`LoginError::Import`]
    pub fn plan(context: &Context, provider: &str, options: ImportOptions) -> Result<Self, LoginError> {
        let provider = context.provider(provider)?;
        if provider.capture.is_empty() {
            return Err(ImportError::NoMap { provider: provider.name.clone() }.into());
        }
        let no_place = || ImportError::NoPlace { provider: provider.name.clone() };
        let directory = ToolDir::of(&provider, options.from).ok_or_else(no_place)?;
        if !directory.path.exists() {
            let ToolDir { path, variable, .. } = directory;
            return Err(ImportError::NoDirectory { path, variable }.into());
        }
        let source = context.address(options.set.as_ref(), &provider.name, options.profile.as_ref())?;
        let other = options.choice.entry.as_deref().filter(|entry| has_logins_for(&provider, entry));
        let address = other_provider(context, &source, other)?;
        let (choice, take_over) = (options.choice, options.take_over);
        Ok(Self { context: context.clone(), provider, source, address, directory, choice, take_over })
    }

    /// The directory of the vendor's tool.
    pub fn directory(&self) -> &Path {
        &self.directory.path
    }

    /// The provider whose tool has the login, with set and profile. It differs from the address if the login is another
    /// provider's.
    pub fn source(&self) -> &Address {
        &self.source
    }

    /// The address at which the credential is stored.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Reads the login, stores it and reads it back. It is marked as the vendor's ([`Owner::Vendor`]): we never refresh it.
    /// To take it over, it is then removed from the vendor's file, and only after that marked as ours, so that it never has
    /// two owners. An import that was killed in between is resumed.
    ///
    /// # Errors
    /// [`LoginError::Import`], [`LoginError::Busy`], [`LoginError::Store`]
    pub fn run(&self) -> Result<Imported, LoginError> {
        let mut step = Action::Import;
        let done = self.import(&mut step);
        done.inspect_err(|error| audit_failure(&self.context, step, &self.address, error))
    }

    fn import(&self, step: &mut Action) -> Result<Imported, LoginError> {
        let _lock = LoginLock::take(self.context.paths(), &self.address)?;
        let store = self.context.store()?;
        let mut store = store.lock();
        let found = self.read();
        if self.take_over
            && let Some(record) = self.unfinished_move(&store)?
            && is_removed(&found, &record)
        {
            *step = Action::TakeOver;
            let record = self.take_ownership(&mut store, record)?;
            let (file, removed) = (self.directory.path.clone(), Some(RemovedFrom::Earlier));
            return Ok(Imported { record, file, removed });
        }
        let mut captured = found?;
        for _ in 0..TRIES {
            self.check_expiry(&store, &captured)?;
            let metadata = Metadata { owner: Owner::Vendor, ..captured.metadata.clone() };
            let record = store.recorded_as(Action::Import, |store| {
                store.put(&self.address, &captured.credential, &metadata)
            })?;
            let file = self.directory.file(&captured.file);
            if !self.take_over {
                return Ok(Imported { record, file, removed: None });
            }
            // The vendor's tool may have refreshed it meanwhile.
            let again = self.read()?;
            if again == captured {
                *step = Action::TakeOver;
                let removed = Some(RemovedFrom::Now(self.remove(&mut store, &record, &captured)?));
                let record = self.take_ownership(&mut store, record)?;
                return Ok(Imported { record, file, removed });
            }
            captured = again;
        }
        Err(ImportError::Changing { path: self.directory.path.clone() }.into())
    }

    fn read(&self) -> Result<Captured, LoginError> {
        let read = vendor_files::read(self.directory.files(), &self.provider.capture, &self.choice);
        let path = self.directory.path.clone();
        match read {
            Ok(Some(Captured { file, has_unreadable_expiry: true, .. })) => {
                Err(ImportError::Files { path, source: CaptureError::NoTime { file } }.into())
            }
            // An own login whose key is called like the other provider.
            Ok(Some(Captured { provider: None, .. })) if self.address.provider != self.source.provider => {
                Err(ImportError::Nothing { provider: self.address.provider.to_string(), path }.into())
            }
            Ok(Some(captured)) => Ok(captured),
            Ok(None) => Err(ImportError::Nothing { provider: self.provider.name.clone(), path }.into()),
            Err(source) => Err(ImportError::Files { path, source }.into()),
        }
    }

    /// Refuses an expired login. One that we can refresh once it is ours may be taken over, but not in place of one that
    /// has not expired: nobody knows whether its refresh token is still valid.
    fn check_expiry(&self, store: &Store, captured: &Captured) -> Result<(), LoginError> {
        let now = crate::clock::now();
        let Some(at) = captured.metadata.expires_at.filter(|at| *at <= now) else { return Ok(()) };
        let provider = self.context.provider(self.address.provider.as_str())?;
        let has_token =
            matches!(&captured.credential, Credential::OAuth(oauth) if oauth.refresh_token.is_some());
        let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
        let is_refreshable = has_token && strategy.is_some_and(|strategy| strategy != RefreshStrategy::None);
        let is_good = |record: &Record| {
            record.credential != captured.credential && record.metadata.expires_at.is_none_or(|at| at > now)
        };
        let stored = store.get(&self.address)?.filter(is_good).map(|record| Box::new(record.address));
        if self.take_over && is_refreshable && stored.is_none() {
            return Ok(());
        }
        let path = self.directory.file(&captured.file);
        Err(ImportError::Expired { path, at, is_refreshable, stored }.into())
    }

    /// The login that a killed import has stored, and removed from the vendor's files or was about to.
    fn unfinished_move(&self, store: &Store) -> Result<Option<Record>, LoginError> {
        let from = store.move_source(&self.address)?;
        let is_from_here = from.is_some() && from == self.directory.path.canonicalize().ok();
        Ok(if is_from_here { store.get(&self.address)? } else { None })
    }

    /// Removes the login from the vendor's files, once the store says from where.
    fn remove(&self, store: &mut Store, record: &Record, captured: &Captured) -> Result<Removed, LoginError> {
        if let Ok(directory) = self.directory.path.canonicalize() {
            store.begin_move(&self.address, record.version, &directory)?;
        }
        let address = Box::new(self.address.clone());
        let removed = vendor_files::remove(self.directory.files(), &self.provider.capture, captured);
        Ok(removed.map_err(|source| ImportError::NotTakenOver { address, source })?)
    }

    /// Marks a login that was removed from the vendor's files as ours.
    fn take_ownership(&self, store: &mut Store, record: Record) -> Result<Record, LoginError> {
        let address = Box::new(self.address.clone());
        let metadata = Metadata { owner: Owner::Us, ..record.metadata.clone() };
        let swapped = store.recorded_as(Action::TakeOver, |store| {
            store.swap(&self.address, record.version, &record.credential, &metadata)
        });
        match swapped {
            Ok(Swap::Swapped(record)) => Ok(record),
            Err(source) => Err(ImportError::Unfinished { address, source }.into()),
            Ok(Swap::Lost(_)) => Err(ImportError::Replaced { address }.into()),
        }
    }
}

/// Whether a login is gone: nothing was found, or another one.
fn is_removed(found: &Result<Captured, LoginError>, record: &Record) -> bool {
    let (credential, metadata) = (&record.credential, &record.metadata);
    match found {
        Ok(captured) => {
            captured.credential.kind() != credential.kind()
                || (&captured.metadata.account, &captured.metadata.host)
                    != (&metadata.account, &metadata.host)
        }
        Err(LoginError::Import(ImportError::Nothing { .. })) => true,
        Err(LoginError::Import(ImportError::Files { source, .. })) => {
            matches!(source, CaptureError::NotChosen { .. } | CaptureError::Unsupported { .. })
        }
        Err(_) => false,
    }
}

/// Whether the provider's tool may have logins that are for the provider `name`.
fn has_logins_for(provider: &Provider, name: &str) -> bool {
    let others = provider.capture.iter().filter_map(|entry| entry.provider.as_deref());
    others.into_iter().any(|other| other == name || other == "*")
}
