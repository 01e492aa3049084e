//! Cleaning up after logins that were killed.

use std::time::Duration;

use super::{dir, lock};
use crate::{engine, files, paths::Paths};

/// A sweep stands before whatever was really wanted: an engine that does not answer soon is left for later.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dead logins that nothing is left of now.
    pub cleaned: usize,
    /// Dead logins of which something is left, and why. A later run tries again.
    pub left: Vec<String>,
}

/// True when there may be something to sweep. Costs one look at a directory that is normally empty.
pub fn needed(paths: &Paths) -> bool {
    std::fs::read_dir(paths.logins()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Removes the containers and directories of logins whose process is gone. Living logins are left alone.
pub async fn sweep(paths: &Paths) -> Swept {
    let mut swept = Swept::default();
    for dead in lock::dead(paths) {
        let directory = dir::of(paths, &dead.holder.login);
        let container = match &dead.holder.engine {
            Some(url) => remove_containers(url, &dead.holder.login).await,
            None => Ok(()),
        };
        // Whether or not the engine answers, the secrets go.
        let directory = files::remove_tree(&directory).map_err(|e| format!("{}: {e}", directory.display()));
        match container.and(directory) {
            Ok(()) => {
                dead.forget();
                swept.cleaned += 1;
            }
            Err(why) => swept.left.push(format!("a login that was killed ({}): {why}", dead.holder)),
        }
    }
    swept
}

/// Removes every container of a login.
pub(super) async fn remove_containers(url: &str, login: &str) -> Result<(), String> {
    let engine =
        engine::locate::at(url, PATIENCE).await.map_err(|why| format!("its container in {url}: {why}"))?;
    for id in engine.login_containers(login).await.map_err(|e| e.to_string())? {
        engine.remove_container(&id).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}
