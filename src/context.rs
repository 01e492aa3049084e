//! The one value that operations share: directories, project, providers, store and user interface.

use std::{
    collections::BTreeMap,
    fmt,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::{
    blocking,
    config::{Paths, Project, ReferenceError, yaml, yaml::Problem},
    credential::{Address, Name, NameError},
    provider::{Provider, Registry, UnknownProvider, Unusable},
    store::{FILE_NAME, SharedStore, Store, StoreError},
    ui::{Nobody, Ui},
};

/// The parts that operations share: the project's file, the descriptors and the store. Each is loaded once, when it is
/// first needed, and clones share what is loaded.
#[derive(Clone)]
pub struct Context {
    paths: Arc<Paths>,
    project_name: Name,
    project: Arc<OnceLock<Result<Project, Vec<Problem>>>>,
    registries: Arc<Registries>,
    store: StoreSlot,
    ui: Arc<dyn Ui>,
}

/// The registry as far as it was read.
#[derive(Default)]
struct Registries {
    all: OnceLock<Arc<Registry>>,
    /// Registries that know one provider alone, by the name that was asked for.
    single: Mutex<BTreeMap<String, Arc<Registry>>>,
}

#[derive(Clone)]
enum StoreSlot {
    /// A store that the program gave.
    Given(SharedStore),
    /// The store in the data directory, once it is open.
    OnDisk(Arc<Mutex<Option<Opened>>>),
}

struct Opened {
    store: SharedStore,
    file: FileId,
}

/// Device and inode.
type FileId = Option<(u64, u64)>;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name has characters that names do not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No provider has this name or alias.
    #[error(transparent)]
    UnknownProvider(#[from] UnknownProvider),
    /// A provider's descriptor is wrong.
    #[error("{}", yaml::join(.0))]
    Descriptor(Vec<Problem>),
    /// The project's file is wrong.
    #[error("{}", yaml::join(.0))]
    Project(Vec<Problem>),
    /// A value of the configuration is in an environment variable or file that cannot be read.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl From<Unusable> for ConfigError {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Unknown(unknown) => Self::UnknownProvider(unknown),
            Unusable::Wrong(problems) => Self::Descriptor(problems),
        }
    }
}

impl Context {
    /// A context for the project `default`, with the store in the data directory and nobody to ask. Reads nothing yet.
    pub fn new(paths: Paths) -> Self {
        Self {
            paths: Arc::new(paths),
            project_name: Name::default_name(),
            project: Arc::default(),
            registries: Arc::default(),
            store: StoreSlot::OnDisk(Arc::default()),
            ui: Arc::new(Nobody),
        }
    }

    /// Selects another project.
    pub fn with_project(self, name: Name) -> Self {
        Self { project_name: name, project: Arc::default(), ..self }
    }

    /// Sets a store that is used in place of the one on the disk.
    pub fn with_store(self, store: SharedStore) -> Self {
        Self { store: StoreSlot::Given(store), ..self }
    }

    /// Sets the user interface.
    pub fn with_ui(self, ui: Arc<dyn Ui>) -> Self {
        Self { ui, ..self }
    }

    /// Adds a descriptor that overrides those on the disk.
    pub fn with_descriptor(self, name: String, text: String) -> Self {
        let mut paths = Paths::clone(&self.paths);
        paths.describe(name, text);
        Self { paths: Arc::new(paths), registries: Arc::default(), ..self }
    }

    /// The program's directories.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The user interface.
    pub fn ui(&self) -> &dyn Ui {
        &*self.ui
    }

    /// The project's name.
    pub fn project_name(&self) -> &Name {
        &self.project_name
    }

    /// The project.
    ///
    /// # Errors
    /// [`ConfigError::Project`]
    pub fn project(&self) -> Result<&Project, ConfigError> {
        let load = || Project::load(&self.paths.projects(), &self.project_name);
        self.project.get_or_init(load).as_ref().map_err(|problems| ConfigError::Project(problems.clone()))
    }

    /// The credential set: `given`, or else the project's.
    ///
    /// # Errors
    /// [`ConfigError::Project`]
    pub fn set(&self, given: Option<&Name>) -> Result<Name, ConfigError> {
        match given {
            Some(set) => Ok(set.clone()),
            None => Ok(self.project()?.set()),
        }
    }

    /// All providers.
    pub fn registry(&self) -> &Arc<Registry> {
        self.registries.all.get_or_init(|| Arc::new(Registry::load_all(&self.paths)))
    }

    /// A registry that knows `provider`, if any does: the files of that provider alone are read where they are enough.
    pub fn registry_for(&self, provider: &str) -> Arc<Registry> {
        if let Some(all) = self.registries.all.get() {
            return all.clone();
        }
        let mut single = self.registries.single.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || Arc::new(Registry::load_one(&self.paths, provider));
        single.entry(provider.to_owned()).or_insert_with(load).clone()
    }

    /// The provider of this name or alias, whose files are all in order.
    ///
    /// # Errors
    /// [`ConfigError::UnknownProvider`], [`ConfigError::Descriptor`]
    pub fn provider(&self, provider: &str) -> Result<Provider, ConfigError> {
        Ok(self.registry_for(provider).usable(provider)?.clone())
    }

    /// The address of a provider's credential, by the provider's name or an alias; of the default profile, if none is
    /// named. Any valid name counts as a provider's, for a credential outlives its descriptor.
    ///
    /// # Errors
    /// [`ConfigError::UnknownProvider`] for what is not a valid name either; [`ConfigError::Project`].
    pub fn address(
        &self,
        set: Option<&Name>,
        provider: &str,
        profile: Option<&Name>,
    ) -> Result<Address, ConfigError> {
        let set = self.set(set)?;
        let provider = match self.registry_for(provider).get(provider) {
            Ok(known) => known.name.parse()?,
            Err(unknown) => provider.parse().map_err(|_| unknown)?,
        };
        Ok(Address { set, provider, profile: profile.cloned().unwrap_or_else(Name::default_name) })
    }

    /// The store, which is created in the data directory where there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn store(&self) -> Result<SharedStore, StoreError> {
        self.opened(|| Store::open(&*self.paths))
    }

    /// The store with its key at hand, opened where blocking is allowed; not one that can only be read.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::prepare`].
    pub async fn prepared_store(&self) -> Result<SharedStore, StoreError> {
        let context = self.clone();
        blocking::run(move || {
            let store = context.store()?;
            store.lock().require_writable()?;
            store.lock().prepare()?;
            Ok(store)
        })
        .await
    }

    /// The store, if there is one. None is created.
    ///
    /// # Errors
    /// As [`Store::open_existing`].
    pub fn existing_store(&self) -> Result<Option<SharedStore>, StoreError> {
        let open = || Store::open_existing(&*self.paths)?.ok_or(None);
        match self.opened(open) {
            Ok(store) => Ok(Some(store)),
            // There is no store.
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    fn opened<E>(&self, open: impl FnOnce() -> Result<Store, E>) -> Result<SharedStore, E> {
        let slot = match &self.store {
            StoreSlot::Given(store) => return Ok(store.clone()),
            StoreSlot::OnDisk(slot) => slot,
        };
        let path = self.paths.data().join(FILE_NAME);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // A store that was deleted while it was open must not be written to: what is stored there is lost.
        if let Some(opened) = slot.take().filter(|opened| opened.file == file_id(&path)) {
            return Ok(slot.insert(opened).store.clone());
        }
        let opened = open()?;
        let is_read_only = opened.is_read_only();
        let store = SharedStore::new(opened);
        // A copy is not kept: others may change the database.
        if is_read_only {
            return Ok(store);
        }
        *slot = Some(Opened { store: store.clone(), file: file_id(&path) });
        Ok(store)
    }
}

fn file_id(path: &Path) -> FileId {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("paths", &self.paths)
            .field("project", &self.project_name)
            .finish_non_exhaustive()
    }
}
