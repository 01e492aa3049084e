//! Checks of the data directory and the store.

use std::{io::ErrorKind, path::Path};

use authenticate::{
    context::Context,
    fs::{
        private::{Expected, check},
        unwritable::reason,
    },
    store::{FILE_NAME, Store, StoreError},
};

use super::exit;
use crate::cli::{
    failure::{Failure, chain},
    hints::Hints,
};

const CHECK: &str = "check its permissions and its disk";

/// The remedy, which the reason why a file or directory is not trusted ends with.
fn remedy(why: &str) -> &str {
    why.split_once(": ").map_or(CHECK, |(_, remedy)| remedy)
}

pub fn store(context: &Context) -> Result<String, Failure> {
    let failed = |error: StoreError| {
        let fix = match &error {
            StoreError::Refused { why, .. } => remedy(why).to_owned(),
            StoreError::KeySource { .. } | StoreError::WrongPassphrase { .. } => {
                "give it its key again, or restore a backup into an empty data directory (AUTHENTICATE_DATA_DIR)".into()
            }
            error => Hints(context).store(error).unwrap_or_else(|| CHECK.to_owned()),
        };
        problem(chain(&error), fix)
    };
    if let Some(problem) = unwritable(context) {
        return Err(problem);
    }
    let Some(store) = Store::open_existing(context.paths()).map_err(failed)? else {
        return Ok("none yet; the first login creates it".to_owned());
    };
    match store.check() {
        Ok(found) if found.is_empty() => {
            Ok(store.path().map(|path| path.display().to_string()).unwrap_or_default())
        }
        Ok(found) => {
            let fix = "log in again, or restore a backup; if that fails, into an empty data directory (AUTHENTICATE_DATA_DIR)";
            Err(problem(found.join("; "), fix))
        }
        // A locked store is not a problem; its secrets were not checked.
        Err(StoreError::PassphraseNeeded { path }) => Ok(locked(&path)),
        Err(error) => Err(failed(error)),
    }
}

/// Finds the reason why nothing can be stored in a store that can be trusted.
fn unwritable(context: &Context) -> Option<Failure> {
    let directory = context.paths().data();
    check(directory, Expected::Directory).ok()?;
    let files = ["", "-wal", "-shm"].map(|suffix| directory.join(format!("{FILE_NAME}{suffix}")));
    let places = [directory.to_owned()].into_iter().chain(files);
    let found = places.into_iter().find_map(|place| reason(&place))?;
    let message = format!("nothing can be stored in {}: {}", directory.display(), found.why);
    Some(problem(message, found.remedy))
}

fn problem(message: String, fix: impl Into<String>) -> Failure {
    Failure::usage(message).hint(fix).code(exit::STORE)
}

fn locked(path: &Path) -> String {
    format!(
        "{}, locked with a passphrase: its secrets were not checked; unlock it with: authenticate store unlock",
        path.display()
    )
}

/// Checks that the directories of the locks are private.
pub fn locks(context: &Context) -> Result<String, Failure> {
    let (mut problems, mut fixes) = (Vec::new(), Vec::new());
    for directory in [context.paths().logins(), context.paths().turns()] {
        match check(&directory, Expected::Closed) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let text = error.to_string();
                let problem = text.split(": ").next().unwrap_or_default();
                problems.push(format!("{}: {problem}", directory.display()));
                let (shown, fix) = (directory.display().to_string(), remedy(&text));
                fixes.push(if fix.contains(&shown) { fix.to_owned() } else { format!("{shown}: {fix}") });
            }
            _ => {}
        }
    }
    match problems.is_empty() {
        true => Ok("private".to_owned()),
        false => Err(problem(problems.join("; "), fixes.join("; "))),
    }
}
