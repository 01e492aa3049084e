//! Importing a login that a vendor's own tool has made on this machine: reading it, or taking it over.

use std::path::{Path, PathBuf};

use super::{LoginError, record::LoginLock, store::audit_failure};
use crate::{
    context::Context,
    credential::{Address, Credential, Metadata, Name, Owner, Record},
    provider::Provider,
    store::{Action, Store, StoreError, Swap},
    vendor_files::{self, CaptureError, Captured, Removed},
};

/// The number of tries while the vendor's tool changes its files.
const TRIES: usize = 3;

/// The options of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The directory of the vendor's tool. Default: the one in the vendor's own variable, or else the descriptor's `home_dir`.
    pub from: Option<PathBuf>,
    /// Take the login over: the vendor's tool loses it.
    pub take_over: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
}

/// An error of importing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The descriptor has no capture map.
    #[error("the descriptor of {provider} has no capture map, which says where its tool keeps a login")]
    NoMap {
        /// The provider.
        provider: String,
    },
    /// The descriptor does not say where the vendor's tool keeps its files.
    #[error("the descriptor of {provider} does not say where its tool keeps its files")]
    NoPlace {
        /// The provider.
        provider: String,
    },
    /// The directory does not exist.
    #[error("there is no directory {}", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The directory has no login.
    #[error("there is no login of {provider} in {}", path.display())]
    Nothing {
        /// The provider.
        provider: String,
        /// The directory.
        path: PathBuf,
    },
    /// The files are refused or malformed.
    #[error("{}: {source}", path.display())]
    Files {
        /// The directory.
        path: PathBuf,
        /// The failure.
        source: CaptureError,
    },
    /// The vendor's tool keeps changing its files.
    #[error("the files in {} change while they are read: end the tool that uses them, and try again", path.display())]
    Changing {
        /// The directory.
        path: PathBuf,
    },
    /// The login is stored, and the vendor's tool still has it.
    #[error("{address} was stored, but the vendor's tool still has it, too: {source}")]
    NotTakenOver {
        /// The address at which it is stored.
        address: Box<Address>,
        /// The reason why it could not be removed from the vendor's files.
        source: CaptureError,
    },
    /// The login is stored and removed from the vendor's files, and it could not be marked as ours.
    #[error(
        "{address} is stored and was removed from the vendor's files, but could not be marked as ours: {source}"
    )]
    Unfinished {
        /// The address at which it is stored.
        address: Box<Address>,
        /// The failure of the store.
        source: StoreError,
    },
    /// Another process stored another credential meanwhile.
    #[error("another process replaced {address} while it was taken over")]
    Replaced {
        /// The address.
        address: Box<Address>,
    },
}

/// An import that is decided on and not yet begun.
#[derive(Debug)]
pub struct Import {
    context: Context,
    provider: Provider,
    address: Address,
    directory: PathBuf,
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
        let home_dir = provider.home_dir.as_deref();
        let usual = || home_dir.and_then(|home_dir| variable_dir(&provider).or_else(|| in_home(home_dir)));
        let no_place = || ImportError::NoPlace { provider: provider.name.clone() };
        // Without a slash at the end, which would follow a link.
        let directory: PathBuf = options.from.or_else(usual).ok_or_else(no_place)?.components().collect();
        if !directory.exists() {
            return Err(ImportError::NoDirectory { path: directory }.into());
        }
        let address = context.address(options.set.as_ref(), &provider.name, options.profile.as_ref())?;
        let take_over = options.take_over;
        Ok(Self { context: context.clone(), provider, address, directory, take_over })
    }

    /// The directory of the vendor's tool.
    pub fn directory(&self) -> &Path {
        &self.directory
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
            let (file, removed) = (self.directory.clone(), Some(RemovedFrom::Earlier));
            return Ok(Imported { record, file, removed });
        }
        let mut captured = found?;
        for _ in 0..TRIES {
            let metadata = Metadata { owner: Owner::Vendor, ..captured.metadata.clone() };
            let record = store.recorded_as(Action::Import, |store| {
                store.put(&self.address, &captured.credential, &metadata)
            })?;
            let file = self.directory.join(&captured.file);
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
        Err(ImportError::Changing { path: self.directory.clone() }.into())
    }

    fn read(&self) -> Result<Captured, LoginError> {
        let read = vendor_files::read(&self.directory, &self.provider.capture);
        let path = self.directory.clone();
        match read {
            Ok(Some(captured)) => Ok(captured),
            Ok(None) => Err(ImportError::Nothing { provider: self.provider.name.clone(), path }.into()),
            Err(source) => Err(ImportError::Files { path, source }.into()),
        }
    }

    /// The login that a killed import has stored, and removed from the vendor's files or was about to.
    fn unfinished_move(&self, store: &Store) -> Result<Option<Record>, LoginError> {
        let from = store.move_source(&self.address)?;
        let is_from_here = from.is_some() && from == self.directory.canonicalize().ok();
        Ok(if is_from_here { store.get(&self.address)? } else { None })
    }

    /// Removes the login from the vendor's files, once the store says from where.
    fn remove(&self, store: &mut Store, record: &Record, captured: &Captured) -> Result<Removed, LoginError> {
        if let Ok(directory) = self.directory.canonicalize() {
            store.begin_move(&self.address, record.version, &directory)?;
        }
        let address = Box::new(self.address.clone());
        let removed = vendor_files::remove(&self.directory, &self.provider.capture, captured);
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

/// Whether a login is gone: nothing was found, or a credential of another kind.
fn is_removed(found: &Result<Captured, LoginError>, record: &Record) -> bool {
    match found {
        Ok(captured) => captured.credential.kind() != record.credential.kind(),
        Err(error) => matches!(error, LoginError::Import(ImportError::Nothing { .. })),
    }
}

/// The vendor's directory according to the vendor's own variable: the one that names it in the container.
fn variable_dir(provider: &Provider) -> Option<PathBuf> {
    let mount = provider.container_mount.as_ref()?;
    let names = provider.env.iter().filter(|(_, value)| *value == mount).map(|(name, _)| name);
    let mut set = names.filter_map(std::env::var_os).map(PathBuf::from);
    set.find(|path| path.is_absolute())
}

/// The absolute path of a directory of the form `~/.acme`.
fn in_home(path: &str) -> Option<PathBuf> {
    let home = directories::BaseDirs::new()?;
    Some(home.home_dir().join(path.strip_prefix("~/")?))
}
