//! Taking over, or reading, a login that a vendor's own tool has made on this machine.

use std::path::{Path, PathBuf};

use super::{LoginError, audit, record::LoginLock};
use crate::{
    Error,
    config::{Paths, Project},
    credential::{Address, Credential, Metadata, Name, Owner, Record},
    provider::{Provider, Registry},
    store::{Action, Store, StoreError, Swap},
    vendor_files::{self, CaptureError, Captured, Owner as FileOwner, Removed},
};

/// How often a vendor's tool may change its files under our hands.
const TRIES: usize = 3;

/// What is to be imported.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The directory of the vendor's tool. Default: where the vendor's own variable says, or else the descriptor's
    /// `home_dir`.
    pub from: Option<PathBuf>,
    /// Take it over: the vendor's tool loses it.
    pub take_over: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not known where the vendor's tool keeps what.
    #[error("{provider} has no capture map: it is not known where its own tool keeps a login")]
    NoMap {
        /// The provider.
        provider: String,
    },
    /// Nothing says where the vendor's tool keeps its files.
    #[error("it is not known where the tool of {provider} keeps its files")]
    NoPlace {
        /// The provider.
        provider: String,
    },
    /// There is no such directory.
    #[error("there is no directory {}", path.display())]
    NoDirectory {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is no login in it.
    #[error("there is no login of {provider} in {}", path.display())]
    Nothing {
        /// The provider.
        provider: String,
        /// The directory.
        path: PathBuf,
    },
    /// The files are refused, or are not what they should be.
    #[error("{}: {source}", path.display())]
    Files {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: CaptureError,
    },
    /// The vendor's tool is at work.
    #[error("the files in {} change while they are read; end the tool that uses them, and try again", path.display())]
    Changing {
        /// The directory.
        path: PathBuf,
    },
    /// It is stored, and the vendor's tool has it still.
    #[error("{address} was stored, but is not ours alone: {source}")]
    NotTakenOver {
        /// Where it is stored.
        address: Box<Address>,
        /// What kept it from being taken out of the vendor's files.
        source: CaptureError,
    },
    /// It is stored, the vendor's tool does not have it any more, and it could not be marked as ours.
    #[error(
        "{address} is stored, and is gone from the vendor's files, but it could not be marked as ours: {source}"
    )]
    Unfinished {
        /// Where it is stored.
        address: Box<Address>,
        /// Why not.
        source: StoreError,
    },
    /// Somebody else stored another credential at the same moment.
    #[error(
        "{address} was replaced by another process while it was taken over; see it with: authenticate status"
    )]
    Replaced {
        /// The address.
        address: Box<Address>,
    },
}

/// An import that is decided on and not yet begun.
#[derive(Debug)]
pub struct Import {
    paths: Paths,
    provider: Provider,
    address: Address,
    directory: PathBuf,
    take_over: bool,
}

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// As it is stored.
    pub record: Record,
    /// The vendor's file that it was in; the directory, where it had been taken out before.
    pub file: PathBuf,
    /// What became of that file; `None`: nothing, the vendor's tool keeps the login.
    pub removed: Option<RemovedFrom>,
}

/// Since when the vendor's tool does not have a login any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedFrom {
    /// It was taken out of its file.
    Now(Removed),
    /// It was taken out before, by an import that was killed.
    Earlier,
}

impl Imported {
    /// The vendor's tool renews it and so makes the copy useless: its refresh token rotates.
    pub fn becomes_outdated(&self) -> bool {
        let Credential::OAuth(oauth) = &self.record.credential else { return false };
        self.removed.is_none() && oauth.refresh_token.is_some()
    }
}

impl Import {
    /// Decides what is to be done. Nothing is read or written yet.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::Descriptor`], [`Error::Project`], [`ImportError`]
    pub fn plan(
        paths: &Paths,
        project: Option<&Name>,
        provider: &str,
        what: ImportOptions,
    ) -> Result<Self, Error> {
        let registry = Registry::load_one(paths, provider);
        let provider = registry.usable(provider)?.clone();
        if provider.capture.is_empty() {
            return Err(ImportError::NoMap { provider: provider.name.clone() }.into());
        }
        let set = match (what.set, project) {
            (Some(set), _) => set,
            (None, Some(project)) => Project::load(&paths.projects(), project).map_err(Error::Project)?.set(),
            (None, None) => Name::default_name(),
        };
        let directory = match (what.from, &provider.home_dir) {
            (Some(from), _) => Some(from),
            (None, Some(home_dir)) => moved(&provider).or_else(|| in_home(home_dir)),
            (None, None) => None,
        };
        let no_place = || ImportError::NoPlace { provider: provider.name.clone() };
        // Without the slash that may be at its end, which would follow a link.
        let directory: PathBuf = directory.ok_or_else(no_place)?.components().collect();
        if !directory.exists() {
            return Err(ImportError::NoDirectory { path: directory }.into());
        }
        let profile = what.profile.unwrap_or_else(Name::default_name);
        let address = Address { set, provider: provider.name.parse()?, profile };
        Ok(Self { paths: paths.clone(), provider, address, directory, take_over: what.take_over })
    }

    /// The directory of the vendor's tool.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the credential goes.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Reads the login, stores it and reads it back. It is then marked as the vendor's ([`Owner::Vendor`]): we never
    /// renew it. If it is to be taken over, it is then removed from the vendor's file and only after that marked as
    /// ours, so that it never has two owners. One that was killed in between is gone on with.
    ///
    /// # Errors
    /// [`ImportError`], [`LoginError::Busy`], [`Error::Store`]
    pub fn run(&self) -> Result<Imported, Error> {
        let mut step = Action::Import;
        self.import(&mut step).inspect_err(|error| {
            audit::audit_failure(&self.paths, None, step, &self.address, error.code());
        })
    }

    fn import(&self, step: &mut Action) -> Result<Imported, Error> {
        let _lock = LoginLock::take(&self.paths, &self.address)?;
        let mut store = Store::open(&self.paths)?;
        store.record_as(Action::Import);
        let found = self.read();
        if self.take_over
            && let Some(record) = self.unfinished_move(&store)?
            && is_removed(&found, &record)
        {
            *step = Action::TakeOver;
            return self.take_ownership(&mut store, record, self.directory.clone(), RemovedFrom::Earlier);
        }
        let mut captured = found?;
        for _ in 0..TRIES {
            let metadata = Metadata { owner: Owner::Vendor, ..captured.metadata.clone() };
            let record = store.put(&self.address, &captured.credential, &metadata)?;
            let file = self.directory.join(&captured.file);
            if !self.take_over {
                return Ok(Imported { record, file, removed: None });
            }
            // The vendor's tool may have renewed it in the meantime.
            let again = self.read()?;
            if again == captured {
                *step = Action::TakeOver;
                return self.take(&mut store, record, file, &captured);
            }
            captured = again;
        }
        Err(ImportError::Changing { path: self.directory.clone() }.into())
    }

    fn read(&self) -> Result<Captured, Error> {
        let read = vendor_files::read(&self.directory, &self.provider.capture, FileOwner::us());
        let path = || self.directory.clone();
        let found = read.map_err(|source| ImportError::Files { path: path(), source })?;
        Ok(found
            .ok_or_else(|| ImportError::Nothing { provider: self.provider.name.clone(), path: path() })?)
    }

    /// What an import that was killed has stored, and has taken out of the vendor's files, or was about to.
    fn unfinished_move(&self, store: &Store) -> Result<Option<Record>, Error> {
        let from = store.move_source(&self.address)?;
        match from.is_some() && from == self.directory.canonicalize().ok() {
            true => Ok(store.get(&self.address)?),
            false => Ok(None),
        }
    }

    fn take(
        &self,
        store: &mut Store,
        record: Record,
        file: PathBuf,
        captured: &Captured,
    ) -> Result<Imported, Error> {
        if let Ok(directory) = self.directory.canonicalize() {
            store.begin_move(&self.address, record.version, &directory)?;
        }
        let address = Box::new(self.address.clone());
        let removed = vendor_files::remove(&self.directory, &self.provider.capture, captured)
            .map_err(|source| ImportError::NotTakenOver { address, source })?;
        self.take_ownership(store, record, file, RemovedFrom::Now(removed))
    }

    /// Marks what is gone from the vendor's files as ours.
    fn take_ownership(
        &self,
        store: &mut Store,
        record: Record,
        file: PathBuf,
        gone: RemovedFrom,
    ) -> Result<Imported, Error> {
        let address = || Box::new(self.address.clone());
        store.record_as(Action::TakeOver);
        let metadata = Metadata { owner: Owner::Us, ..record.metadata.clone() };
        match store.swap(&self.address, record.version, &record.credential, &metadata) {
            Ok(Swap::Swapped(record)) => Ok(Imported { record, file, removed: Some(gone) }),
            Err(source) => Err(ImportError::Unfinished { address: address(), source }.into()),
            Ok(Swap::Lost(_)) => Err(ImportError::Replaced { address: address() }.into()),
        }
    }
}

/// Whether a login is not there any more: nothing is, or something of another kind.
fn is_removed(found: &Result<Captured, Error>, record: &Record) -> bool {
    match found {
        Ok(captured) => captured.credential.kind() != record.credential.kind(),
        Err(error) => {
            matches!(error, Error::Login(LoginError::Import(ImportError::Nothing { .. })))
        }
    }
}

/// Where a variable of the vendor's own has moved its directory to: the one that does so in the container.
fn moved(provider: &Provider) -> Option<PathBuf> {
    let mount = provider.container_mount.as_ref()?;
    let names = provider.env.iter().filter(|(_, value)| *value == mount).map(|(name, _)| name);
    let mut set = names.filter_map(std::env::var_os).map(PathBuf::from);
    set.find(|path| path.is_absolute())
}

/// A place of the form `~/.acme`.
fn in_home(path: &str) -> Option<PathBuf> {
    let home = directories::BaseDirs::new()?;
    Some(home.home_dir().join(path.strip_prefix("~/")?))
}

impl From<ImportError> for Error {
    fn from(error: ImportError) -> Self {
        LoginError::from(error).into()
    }
}
