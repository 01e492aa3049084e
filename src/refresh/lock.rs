//! Who renews a credential: one thread of one process at a time. Everybody else waits for what that one stores.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{
    config::{Paths, paths},
    credential::Address,
    fs::{
        lock::{self, TryLock},
        trust,
    },
    store::SharedStore,
};

/// How often a process looks whether its turn has come.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The turn of this process and task. Ends when dropped, or when the process dies.
#[derive(Debug)]
pub struct RefreshLock {
    /// None is needed among the tasks of one process.
    file: Option<(PathBuf, File)>,
    _task: OwnedMutexGuard<()>,
}

/// What came of waiting for a turn.
#[derive(Debug)]
pub enum Acquired<T> {
    /// It is ours.
    Held(RefreshLock),
    /// It is not needed any more.
    Done(T),
    /// Somebody else kept it for longer than we wait.
    TimedOut,
}

/// The tasks of this process queue up here, so that one of them at a time looks at the file.
static QUEUES: Mutex<Option<HashMap<PathBuf, Weak<AsyncMutex<()>>>>> = Mutex::new(None);

fn queue(path: &Path) -> Arc<AsyncMutex<()>> {
    let mut tasks = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let tasks = tasks.get_or_insert_default();
    tasks.retain(|_, queue| queue.strong_count() > 0);
    if let Some(queue) = tasks.get(path).and_then(Weak::upgrade) {
        return queue;
    }
    let queue = Arc::new(AsyncMutex::new(()));
    tasks.insert(path.to_owned(), Arc::downgrade(&queue));
    queue
}

impl RefreshLock {
    /// Waits for the turn of `address` in the store of the data directory, or in the one given. Whenever nobody has it,
    /// `done` says whether it is still needed.
    ///
    /// # Errors
    /// Those of `done`, and of the file.
    pub async fn acquire<T, E: From<RefreshLockError>>(
        paths: &Paths,
        store: Option<&SharedStore>,
        address: &Address,
        patience: Duration,
        mut done: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Acquired<T>, E> {
        let data = match store {
            Some(store) => store.lock().data_dir().map(Path::to_owned),
            None => Some(paths.data().to_owned()),
        };
        // What is in memory is in no other process.
        let Some(data) = data else {
            let id = store.map(SharedStore::id).unwrap_or_default();
            let path = PathBuf::from(id.to_string()).join(lock::lock_file_name(address));
            let Some(task) = Self::queue_up(&path, patience).await else { return Ok(Acquired::TimedOut) };
            let done = done()?;
            return Ok(done.map_or(Acquired::Held(Self { file: None, _task: task }), Acquired::Done));
        };
        let directory = paths::turns(&data);
        let path = directory.join(lock::lock_file_name(address));
        let failed = |path: &Path, source| E::from(RefreshLockError { path: path.to_owned(), source });
        trust::data_dir(&data).map_err(|source| failed(&data, source))?;
        trust::private_dir(&directory).map_err(|source| failed(&directory, source))?;
        let attempt = |create| lock::try_lock(&path, create).map_err(|source| failed(&path, source));
        let begin = Instant::now();
        let Some(task) = Self::queue_up(&path, patience).await else { return Ok(Acquired::TimedOut) };
        loop {
            // Whoever has the turn takes the file away at the end, so that all who wait look at once, and not before.
            let found = match attempt(false)? {
                TryLock::Missing => match done()? {
                    Some(done) => return Ok(Acquired::Done(done)),
                    None => attempt(true)?,
                },
                other => other,
            };
            if let TryLock::Free(file) = found {
                return Ok(Acquired::Held(Self { file: Some((path, file)), _task: task }));
            }
            if begin.elapsed() > patience {
                return Ok(Acquired::TimedOut);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl RefreshLock {
    /// Who is alone needs no timer: a runtime may have none.
    async fn queue_up(path: &Path, patience: Duration) -> Option<OwnedMutexGuard<()>> {
        let queue = queue(path);
        match queue.clone().try_lock_owned() {
            Ok(task) => Some(task),
            Err(_) => tokio::time::timeout(patience, queue.lock_owned()).await.ok(),
        }
    }
}

/// Whether a living process has the turn of `address` in the store of a data directory. `None`: that cannot be seen.
pub(crate) fn is_held(data: &Path, address: &Address) -> Option<bool> {
    let path = paths::turns(data).join(lock::lock_file_name(address));
    match lock::try_lock(&path, false) {
        Ok(TryLock::Held(_)) => Some(true),
        Ok(TryLock::Free(_) | TryLock::Missing) => Some(false),
        Err(_) => None,
    }
}

impl Drop for RefreshLock {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.file {
            let _ = fs::remove_file(path);
        }
    }
}

/// The lock file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}", path.display())]
pub struct RefreshLockError {
    path: PathBuf,
    source: io::Error,
}
