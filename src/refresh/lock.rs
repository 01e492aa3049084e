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
    config::paths,
    credential::Address,
    fs::{
        lock::{FileLock, TryLock},
        private,
    },
    store::SharedStore,
};

/// The time between two tries to get the lock file.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A held refresh lock. Released when it is dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct RefreshLock {
    /// `None` for a store in memory, which only the tasks of one process share.
    file: Option<(PathBuf, FileLock)>,
    _task: OwnedMutexGuard<()>,
}

/// The outcome of waiting for a refresh lock.
#[derive(Debug)]
pub(crate) enum Acquired<T> {
    /// The lock is held.
    Held(RefreshLock),
    /// The lock is no longer needed.
    Done(T),
    /// Another holder kept it for longer than the limit.
    TimedOut,
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
    /// Waits for the refresh lock of `address` in a store, for at most `limit`. `is_done` is called whenever nobody holds the
    /// lock; if it returns a value, the lock is not needed.
    ///
    /// # Errors
    /// The errors of `is_done`, and [`RefreshLockError`] for the lock file.
    pub(crate) async fn acquire<T, E: From<RefreshLockError>>(
        store: &SharedStore,
        address: &Address,
        limit: Duration,
        mut is_done: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Acquired<T>, E> {
        let data = store.lock().data_dir().map(Path::to_owned);
        // A store in memory belongs to one process.
        let Some(data) = data else {
            let path = PathBuf::from(store.id().to_string()).join(address.lock_file_name());
            let Some(task) = Self::queue_up(&path, limit).await else { return Ok(Acquired::TimedOut) };
            let done = is_done()?;
            return Ok(done.map_or(Acquired::Held(Self { file: None, _task: task }), Acquired::Done));
        };
        let directory = paths::turns(&data);
        let path = directory.join(address.lock_file_name());
        let failed = |path: &Path, source| E::from(RefreshLockError { path: path.to_owned(), source });
        private::create_data_dir(&data).map_err(|source| failed(&data, source))?;
        private::create_dir(&directory).map_err(|source| failed(&directory, source))?;
        let attempt = |create| FileLock::try_lock(&path, create).map_err(|source| failed(&path, source));
        let begin = Instant::now();
        let Some(task) = Self::queue_up(&path, limit).await else { return Ok(Acquired::TimedOut) };
        loop {
            // The holder removes the file at the end; only then do the waiting tasks look at the store.
            let found = match attempt(false)? {
                TryLock::Missing => match is_done()? {
                    Some(done) => return Ok(Acquired::Done(done)),
                    None => attempt(true)?,
                },
                other => other,
            };
            if let TryLock::Free(file) = found {
                return Ok(Acquired::Held(Self { file: Some((path, file)), _task: task }));
            }
            if begin.elapsed() > limit {
                return Ok(Acquired::TimedOut);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl RefreshLock {
    /// Waits for the other tasks of this process. Without others no timer is used, because the runtime may have none.
    async fn queue_up(path: &Path, limit: Duration) -> Option<OwnedMutexGuard<()>> {
        let queue = queue(path);
        match queue.clone().try_lock_owned() {
            Ok(task) => Some(task),
            Err(_) => tokio::time::timeout(limit, queue.lock_owned()).await.ok(),
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

impl Drop for RefreshLock {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.file {
            let _ = fs::remove_file(path);
        }
    }
}

/// A failure to use the lock file.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}", path.display())]
pub struct RefreshLockError {
    path: PathBuf,
    source: io::Error,
}
