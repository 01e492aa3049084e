//! The audit log: who did what to which credential, and when. It holds no secret, and no account's name.

use std::{env, fs, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::{Store, StoreError, error::BUSY, record::row::Millis};
use crate::{
    credential::{Address, Name},
    error_kind::ErrorKind,
};

/// The number of entries that are kept, the newest ones. The trigger `audit_is_bounded` removes the others.
pub const AUDIT_ENTRIES: usize = 10_000;

/// The time for which an entry waits for a writer, if it is about a read or about an operation that has waited for a lock
/// in vain. A reader waits for its secret.
const PATIENCE: Duration = Duration::from_millis(500);

/// Does not wait for the disk, and keeps the write-ahead log short: readers do not empty it, and the first process that
/// opens the database reads all of it.
const CHEAP: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 64";
const USUAL: &str = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000";

/// An action in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A credential was stored or replaced.
    Store,
    /// A credential was removed from this machine.
    Remove,
    /// A login was attempted.
    Login,
    /// A secret was handed out.
    Token,
    /// A credential was refreshed.
    Refresh,
    /// New tokens that do not fit their login were set aside.
    SetAside,
    /// Tokens that were set aside were taken for their login.
    Accept,
    /// A credential was revoked at the vendor.
    Revoke,
    /// A credential was imported from another tool.
    Import,
    /// An imported credential was removed from the other tool, and is ours alone.
    TakeOver,
    /// A credential was written into another tool's files.
    Deliver,
    /// The store was unlocked for a time.
    Unlock,
    /// The store was locked.
    Lock,
    /// The store was given another key.
    Rekey,
    /// Plain credentials of an earlier version were sealed.
    Migrate,
    /// All credentials were written to a backup.
    Backup,
    /// All credentials were replaced by those of a backup.
    Restore,
}

impl Action {
    /// Returns the name, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Remove => "remove",
            Self::Login => "login",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::SetAside => "set_aside",
            Self::Accept => "accept",
            Self::Revoke => "revoke",
            Self::Import => "import",
            Self::TakeOver => "take_over",
            Self::Deliver => "deliver",
            Self::Unlock => "unlock",
            Self::Lock => "lock",
            Self::Rekey => "rekey",
            Self::Migrate => "migrate",
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

/// The outcome of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The action succeeded.
    Ok,
    /// The action failed. The short word names the error, as [`StoreError::code`] does, and holds no detail of it.
    Failed(&'static str),
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The number of the entry. Entries are counted up by one.
    pub id: i64,
    /// The time, to the millisecond.
    pub at: Timestamp,
    /// The user id.
    pub uid: u32,
    /// The process id.
    pub pid: u32,
    /// The name of the process's program.
    pub program: String,
    /// The name of the parent process's program, if it is known.
    pub caller: Option<String>,
    /// The action, as in [`Action::as_str`].
    pub action: String,
    /// The credential's address; `None` if the action was about the whole store.
    pub address: Option<Address>,
    /// The outcome: `ok`, or a short word for the error.
    pub outcome: String,
}

const INSERT: &str = "
INSERT INTO audit (at, uid, pid, program, caller, action, provider, credential_set, profile, outcome)
VALUES (:at, :uid, :pid, :program, :caller, :action, :provider, :set, :profile, :outcome)";

const READ: &str = "
SELECT id, at, uid, pid, program, caller, action, provider, credential_set, profile, outcome FROM audit
WHERE :provider IS NULL OR provider = :provider ORDER BY id DESC LIMIT :limit";

impl Store {
    /// Records an action on a credential that did not change the store. Changes record themselves.
    ///
    /// The entry for a secret that was handed out is not synced to the disk, and waits for a writer for at most half a second.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn audit(&self, action: Action, address: &Address, outcome: Outcome) -> Result<(), StoreError> {
        self.with_path(self.append(action, Some(address), outcome))
    }

    fn append(&self, action: Action, address: Option<&Address>, outcome: Outcome) -> rusqlite::Result<()> {
        let record = || record(&self.connection, action, address, outcome);
        match (action, outcome) {
            (Action::Token, _) => self.with_little_patience(|| {
                self.connection.execute_batch(CHEAP)?;
                let recorded = record();
                self.connection.execute_batch(USUAL)?;
                recorded
            }),
            // This one has waited for a lock already.
            (_, Outcome::Failed(BUSY)) => self.with_little_patience(record),
            _ => record(),
        }
    }

    fn with_little_patience(&self, record: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        let recorded = record();
        self.wait_for_writers()?;
        recorded
    }

    /// Makes a change that is recorded under this action, in place of [`Action::Store`] or [`Action::Remove`].
    pub fn recorded_as<T>(&mut self, action: Action, change: impl FnOnce(&mut Self) -> T) -> T {
        self.action = Some(action);
        let changed = change(self);
        self.action = None;
        changed
    }

    /// Returns the newest entries, the newest first, of all providers or of one.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn audit_log(&self, provider: Option<&Name>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.run(|| {
            let mut statement = self.connection.prepare_cached(READ)?;
            let parameters = named_params! {":provider": provider.map(Name::as_str), ":limit": limit};
            Ok(statement.query_map(parameters, entry)?.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Records an action as part of a change.
    pub(super) fn record(
        &self,
        change: &Connection,
        usual: Action,
        address: Option<&Address>,
    ) -> rusqlite::Result<()> {
        let is_about_one = matches!(usual, Action::Store | Action::Remove);
        let action = self.action.filter(|_| is_about_one).unwrap_or(usual);
        record(change, action, address, Outcome::Ok)
    }

    /// Records the failure of an action on the whole store, unless the request was wrong and nothing was attempted: a backup
    /// was opened. Returns the result.
    pub(crate) fn audited<T>(&self, action: Action, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done
            && (error.kind() != ErrorKind::InvalidInput || matches!(error, StoreError::Backup { .. }))
        {
            let _ = self.audit_store(action, Outcome::Failed(error.code()));
        }
        done
    }

    /// Records an action on the whole store that did not change it.
    pub(crate) fn audit_store(&self, action: Action, outcome: Outcome) -> Result<(), StoreError> {
        self.with_path(self.append(action, None, outcome))
    }
}

fn record(
    connection: &Connection,
    action: Action,
    address: Option<&Address>,
    outcome: Outcome,
) -> rusqlite::Result<()> {
    let outcome = match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed(code) => code,
    };
    connection.prepare_cached(INSERT)?.execute(named_params! {
        ":at": crate::clock::now().as_millisecond(),
        ":uid": rustix::process::getuid().as_raw(),
        ":pid": std::process::id(),
        ":program": program().unwrap_or_default(),
        ":caller": caller(),
        ":action": action.as_str(),
        ":provider": address.map(|address| address.provider.as_str()),
        ":set": address.map(|address| address.set.as_str()),
        ":profile": address.map(|address| address.profile.as_str()),
        ":outcome": outcome,
    })?;
    Ok(())
}

/// Returns the name of this program's file.
fn program() -> Option<String> {
    Some(env::current_exe().ok()?.file_name()?.to_string_lossy().into_owned())
}

/// Returns the name of the parent process, see `proc_pid_comm(5)`.
fn caller() -> Option<String> {
    let parent = rustix::process::getppid()?;
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero())).ok()?;
    Some(name.trim_end().to_owned())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    // A damaged entry must not hide the others.
    let address = match (row.get(7), row.get(8), row.get(9)) {
        (Ok(provider), Ok(set), Ok(profile)) => Some(Address { set, provider, profile }),
        _ => None,
    };
    Ok(AuditEntry {
        id: row.get(0)?,
        at: row.get(1).map_or(Timestamp::UNIX_EPOCH, |Millis(at)| at),
        uid: row.get(2).unwrap_or_default(),
        pid: row.get(3).unwrap_or_default(),
        program: row.get(4).unwrap_or_default(),
        caller: row.get(5).unwrap_or_default(),
        action: row.get(6).unwrap_or_default(),
        address,
        outcome: row.get(10).unwrap_or_default(),
    })
}
