//! Cleans up after logins that were killed.

use std::time::{Duration, Instant};

use super::dir;
use crate::{
    config::Paths,
    engine,
    login::record::{LoginRecord, find_abandoned},
};

/// The time for an engine to answer, and then for it to remove the containers of one login.
#[derive(Clone, Copy)]
struct Limits {
    answer: Duration,
    removal: Duration,
}

/// The time that a sweep gives engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepTimeout {
    /// Two seconds for all answers together: the command that sweeps uses no engine.
    Short,
    /// As long as engines usually take.
    Full,
}

impl SweepTimeout {
    /// Returns the limits for the next login, `elapsed` after the start of the sweep.
    fn limits(self, elapsed: Duration) -> Limits {
        let seconds = Duration::from_secs;
        match self {
            Self::Short => Limits { answer: seconds(2).saturating_sub(elapsed), removal: seconds(10) },
            Self::Full => Limits { answer: seconds(3), removal: seconds(20) },
        }
    }
}

/// Returns whether there may be something to sweep. Costs one look at a directory that is normally empty.
pub fn needed(paths: &Paths) -> bool {
    std::fs::read_dir(paths.logins()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Removes the directories of logins whose process was killed and, where the engine answers in time, their containers.
/// Living logins are left alone. Returns the logins of which something is left, each with the reason, as messages. A later
/// run tries again.
pub async fn sweep(paths: &Paths, timeout: SweepTimeout) -> Vec<String> {
    let abandoned = match find_abandoned(paths) {
        Ok(abandoned) => abandoned,
        Err(why) => return vec![format!("logins that were killed: {why}")],
    };
    let start = Instant::now();
    let mut remaining = Vec::new();
    for record in abandoned {
        remaining.extend(clean_up(paths, record, timeout.limits(start.elapsed())).await.err());
    }
    remaining
}

/// Removes the containers, the directory and, if nothing is left, the record of a login.
async fn clean_up(paths: &Paths, record: LoginRecord, limits: Limits) -> Result<(), String> {
    let login = &record.holder.login;
    let container = match &record.holder.engine {
        Some(url) => remove_containers(limits, url, login).await,
        None => Ok(()),
    };
    // Even if the engine does not answer: the directory holds secrets.
    let directory = dir::remove_login_dir(&dir::login_dir(paths, login));
    if let Err(why) = container.and(directory) {
        let (holder, path) = (&record.holder, record.path.display());
        return Err(format!(
            "a login ({holder}): {why}; a later run tries again; if that engine is gone for good, remove {path}"
        ));
    }
    record.remove();
    Ok(())
}

/// Removes every container of a login.
async fn remove_containers(limits: Limits, url: &str, login: &str) -> Result<(), String> {
    let removal = async {
        let engine = engine::locate::at(url, limits.answer).await;
        let engine = engine.map_err(|why| format!("its container in {url}: {why}"))?;
        engine.remove_login_containers(login).await.map_err(|error| error.to_string())
    };
    let removed = tokio::time::timeout(limits.removal, removal).await;
    removed.unwrap_or_else(|_| Err(format!("its container in {url}: the engine does not answer")))
}
