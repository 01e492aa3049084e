//! Cleaning up after logins that were killed.

use std::time::{Duration, Instant};

use super::dir;
use crate::{config::Paths, engine, fs::remove_tree, login::record};

/// A sweep stands before whatever was really wanted: an engine that does not answer soon is left for later.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long all of a dead login's containers may take.
const REMOVAL: Duration = Duration::from_secs(20);

/// How long a command that needs no engine waits for any to answer, and then for what it does.
const BRIEF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// How long engines are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepTimeout {
    /// For two seconds in all, and longer only for those that answer: an engine is not what is wanted.
    Short,
    /// As long as they usually take.
    Full,
}

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dead logins that nothing is left of now.
    pub cleaned: usize,
    /// Dead logins of which something is left, and why. A later run tries again.
    pub remaining: Vec<String>,
}

/// True when there may be something to sweep. Costs one look at a directory that is normally empty.
pub fn needed(paths: &Paths) -> bool {
    std::fs::read_dir(paths.logins()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Removes the directories, and as far as engines answer in time the containers, of logins whose process is gone. Living
/// logins are left alone.
pub async fn sweep(paths: &Paths, reach: SweepTimeout) -> Swept {
    let mut swept = Swept::default();
    let dead = match record::find_abandoned(paths) {
        Ok(dead) => dead,
        Err(why) => {
            swept.remaining.push(format!("logins that were killed: {why}"));
            return swept;
        }
    };
    let begun = Instant::now();
    for dead in dead {
        let directory = dir::login_dir(paths, &dead.holder.login);
        let container = match dead.holder.engine.clone() {
            None => Ok(()),
            Some(url) => {
                let (patience, removal) = match reach {
                    SweepTimeout::Short => (BRIEF.0.saturating_sub(begun.elapsed()), BRIEF.1),
                    SweepTimeout::Full => (PATIENCE, REMOVAL),
                };
                remove_within(removal, &url, patience, &dead.holder.login).await
            }
        };
        // Whether or not the engine answers, the secrets go.
        let directory = remove_tree::remove(&directory).map_err(|e| format!("{}: {e}", directory.display()));
        match container.and(directory) {
            Ok(()) => {
                dead.remove();
                swept.cleaned += 1;
            }
            Err(why) => {
                let path = dead.path.display();
                let end = format!("a later run tries again; if that engine is gone for good, remove {path}");
                swept.remaining.push(format!("a login ({}): {why}; {end}", dead.holder));
            }
        }
    }
    swept
}

/// Removes every container of a login.
pub(in crate::login) async fn remove_containers(url: &str, login: &str) -> Result<(), String> {
    remove_within(REMOVAL, url, PATIENCE, login).await
}

async fn remove_within(limit: Duration, url: &str, patience: Duration, login: &str) -> Result<(), String> {
    let removal = tokio::time::timeout(limit, remove_all(url, patience, login)).await;
    removal.unwrap_or_else(|_| Err(format!("its container in {url}: the engine does not answer")))
}

async fn remove_all(url: &str, patience: Duration, login: &str) -> Result<(), String> {
    let engine =
        engine::locate::at(url, patience).await.map_err(|why| format!("its container in {url}: {why}"))?;
    for id in engine.login_containers(login).await.map_err(|e| e.to_string())? {
        // Podman would give it ten seconds to end.
        engine.kill_container(&id).await.map_err(|e| e.to_string())?;
        engine.remove_container(&id).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}
