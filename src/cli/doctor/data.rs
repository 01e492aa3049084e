//! Whether the data directory is ours alone, and the store whole.

use std::{io::ErrorKind, path::Path};

use authenticate::{
    context::Context,
    fs::private::check_dir,
    redact,
    store::{FILE_NAME, Store, StoreError},
};

use rustix::{
    fs::{Access, access},
    io::Errno,
};

use super::{Check, Problem, exit};
use crate::cli::failure::chain;

pub fn store(context: &Context) -> Check {
    let failed = |error: StoreError| {
        let fix = error
            .recovery_hint()
            .unwrap_or_else(|| "see that you may use it, and that its disk is in order".to_owned());
        Problem { message: chain(&error.into()), fix, code: exit::STORE }
    };
    if let Some(problem) = unwritable(context) {
        return Check { what: "store", result: Err(problem) };
    }
    let result = match Store::open_existing(context.paths()) {
        Ok(None) => Ok("none yet; the first login makes it".to_owned()),
        Ok(Some(store)) => match store.check() {
            Ok(found) if found.is_empty() => {
                Ok(store.path().map(|path| path.display().to_string()).unwrap_or_default())
            }
            Ok(found) => Err(Problem {
                message: found.join("; "),
                fix: "log in again, or restore a backup, if need be into an empty data directory (AUTHENTICATE_DATA_DIR)"
                    .into(),
                code: exit::STORE,
            }),
            // Nothing is wrong with it; what is sealed was not looked at.
            Err(StoreError::PassphraseNeeded { path }) => Ok(locked(&path)),
            Err(error) => Err(failed(error)),
        },
        Err(error) => Err(failed(error)),
    };
    Check { what: "store", result }
}

/// What of it this user may not write to: it can be read, and nothing can be stored.
fn unwritable(context: &Context) -> Option<Problem> {
    let refuses = |path: &Path, how| matches!(access(path, how), Err(Errno::ACCESS | Errno::ROFS));
    let problem = |path: &Path, fix: String| Problem {
        message: format!("nothing can be stored: this user may not write to {}", path.display()),
        fix,
        code: exit::STORE,
    };
    let directory = context.paths().data();
    if refuses(directory, Access::WRITE_OK | Access::EXEC_OK) {
        return Some(problem(directory, format!("run `chmod 700 {}`", redact::shell_quote(directory))));
    }
    let files = ["", "-wal", "-shm"].map(|suffix| directory.join(format!("{FILE_NAME}{suffix}")));
    let file = files.iter().find(|file| refuses(file, Access::WRITE_OK))?;
    Some(problem(file, format!("run `chmod 600 {}`", redact::shell_quote(file))))
}

fn locked(path: &Path) -> String {
    format!(
        "{}, locked with a passphrase: what is sealed was not looked at; `authenticate store unlock` unlocks it",
        path.display()
    )
}

/// Where the locks are: nothing in them is believed unless they are ours alone.
pub fn locks(context: &Context) -> Check {
    let (mut problems, mut fixes) = (Vec::new(), Vec::new());
    for directory in [context.paths().logins(), context.paths().turns()] {
        match check_dir(&directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let text = error.to_string();
                let (problem, fix) = text.split_once(": ").unwrap_or((&text, "see that you may use it"));
                problems.push(format!("{}: {problem}", directory.display()));
                fixes.push(fix.to_owned());
            }
            _ => {}
        }
    }
    let result = match problems.is_empty() {
        true => Ok("ours alone".to_owned()),
        false => Err(Problem { message: problems.join("; "), fix: fixes.join("; "), code: exit::STORE }),
    };
    Check { what: "locks", result }
}
