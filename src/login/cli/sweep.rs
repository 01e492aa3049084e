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

/// The result of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of logins that nothing is left of.
    pub cleaned: usize,
    /// The logins of which something is left, each with the reason, as messages. A later run tries again.
    pub remaining: Vec<String>,
}

/// Returns whether there may be something to sweep. Costs one look at a directory that is normally empty.
pub fn needed(paths: &Paths) -> bool {
    std::fs::read_dir(paths.logins()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Removes the directories of logins whose process was killed and, where the engine answers in time, their containers.
/// Living logins are left alone.
pub async fn sweep(paths: &Paths, timeout: SweepTimeout) -> Swept {
    let mut swept = Swept::default();
    let abandoned = match find_abandoned(paths) {
        Ok(abandoned) => abandoned,
        Err(why) => {
            swept.remaining.push(format!("logins that were killed: {why}"));
            return swept;
        }
    };
    let start = Instant::now();
    for record in abandoned {
        match clean_up(paths, record, timeout.limits(start.elapsed())).await {
            Ok(()) => swept.cleaned += 1,
            Err(why) => swept.remaining.push(why),
        }
    }
    swept
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
    match container.and(directory) {
        Ok(()) => {
            record.remove();
            Ok(())
        }
        Err(why) => {
            let (holder, path) = (&record.holder, record.path.display());
            Err(format!(
                "a login ({holder}): {why}; a later run tries again; if that engine is gone for good, remove {path}"
            ))
        }
    }
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
