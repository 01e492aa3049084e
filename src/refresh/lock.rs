//! The refresh lock: one task of one process at a time refreshes a credential. The others wait for what it stores.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{
    blocking,
    config::paths,
    credential::Address,
    fs::{
        lock::{FileLock, TryLock},
        private::{self, Expected},
    },
    store::SharedStore,
};

/// The time between two tries to get the lock file.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A held refresh lock. Released when it is dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct RefreshLock {
    /// `None` for a store in memory, which only the tasks of one process share.
    _file: Option<LockFile>,
    _task: OwnedMutexGuard<()>,
}

/// A held lock file. Removed when it is dropped.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    _lock: FileLock,
}

/// The queues of this process's tasks, by lock file: one task at a time looks at the file.
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
    /// Waits for the refresh lock of `address` in a store, for at most `limit`. Returns `None` if another holder kept it for
    /// longer.
    ///
    /// # Errors
    /// [`RefreshLockError`] for the lock file.
    pub(crate) async fn acquire(
        store: &SharedStore,
        address: &Address,
        limit: Duration,
    ) -> Result<Option<Self>, RefreshLockError> {
        let data = store.run(|store| store.data_dir().map(Path::to_owned)).await;
        let name = address.lock_file_name();
        let path = match &data {
            Some(data) => paths::turns(data).join(name),
            // A store in memory belongs to one process.
            None => PathBuf::from(store.id().to_string()).join(name),
        };
        let begin = Instant::now();
        let Some(task) = queue_up(&path, limit).await else { return Ok(None) };
        let Some(data) = data else { return Ok(Some(Self { _file: None, _task: task })) };
        loop {
            let (data, path) = (data.clone(), path.clone());
            if let Some(file) = blocking::run(move || LockFile::try_lock(&data, path)).await? {
                return Ok(Some(Self { _file: Some(file), _task: task }));
            }
            if begin.elapsed() > limit {
                return Ok(None);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Waits for the other tasks of this process. Without others no timer is used, because the runtime may have none.
async fn queue_up(path: &Path, limit: Duration) -> Option<OwnedMutexGuard<()>> {
    let queue = queue(path);
    match queue.clone().try_lock_owned() {
        Ok(task) => Some(task),
        Err(_) => tokio::time::timeout(limit, queue.lock_owned()).await.ok(),
    }
}

impl LockFile {
    /// Tries to lock the file. Returns `None` if another process holds the lock.
    fn try_lock(data: &Path, path: PathBuf) -> Result<Option<Self>, RefreshLockError> {
        let failed = |path: &Path, source| RefreshLockError { path: path.to_owned(), source };
        let directory = paths::turns(data);
        private::create_dir(data, Expected::Directory).map_err(|source| failed(data, source))?;
        private::create_dir(&directory, Expected::Closed).map_err(|source| failed(&directory, source))?;
        match FileLock::try_lock(&path, true).map_err(|source| failed(&path, source))? {
            TryLock::Free(lock) => Ok(Some(Self { path, _lock: lock })),
            TryLock::Held(_) | TryLock::Missing => Ok(None),
        }
    }
}

/// Whether a living process holds the refresh lock of `address` in a data directory; `None` if that cannot be found out.
pub(crate) fn is_held(data: &Path, address: &Address) -> Option<bool> {
    let path = paths::turns(data).join(address.lock_file_name());
    match FileLock::try_lock(&path, false) {
        Ok(TryLock::Held(_)) => Some(true),
        Ok(TryLock::Free(_) | TryLock::Missing) => Some(false),
        Err(_) => None,
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A failure to use the lock file.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}", path.display())]
pub struct RefreshLockError {
    path: PathBuf,
    source: io::Error,
}
