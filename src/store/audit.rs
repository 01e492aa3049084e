//! The audit log: who did what to which credential, and when. Never a secret, nor an account's name.

use std::{env, fs, sync::OnceLock, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::{Store, StoreError, error::BUSY, record::row::time};
use crate::credential::{Address, Name};

/// How many entries are kept: the newest. The database's triggers let no other be removed; see `migrate`.
pub const AUDIT_ENTRIES: usize = 10_000;

/// How long the record of a reading waits for somebody who writes, for the reader wants its secret; and that of somebody
/// who has waited in vain.
const PATIENCE: Duration = Duration::from_millis(500);

/// In the log, but not waited for until it is on the disk. And the log stays short, for those who only read do not
/// empty it, and whoever opens the database first reads all of it.
const CHEAP: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 64";
const USUAL: &str = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A credential was stored or replaced.
    Store,
    /// A credential was removed from this machine.
    Remove,
    /// A login.
    Login,
    /// A secret was handed out.
    Token,
    /// A credential was renewed.
    Refresh,
    /// A credential was revoked at the vendor.
    Revoke,
    /// A credential came from another tool.
    Import,
    /// A credential that came from another tool was removed there, and is ours alone.
    TakeOver,
    /// A credential was written into another tool's files.
    Deliver,
    /// The store was unlocked for a time.
    Unlock,
    /// It was locked again.
    Lock,
    /// It was given another key.
    Rekey,
    /// It was sealed, or brought up to date.
    Migrate,
    /// All of it was written into a backup.
    Backup,
    /// It was replaced by a backup.
    Restore,
}

impl Action {
    /// Its name, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Remove => "remove",
            Self::Login => "login",
            Self::Token => "token",
            Self::Refresh => "refresh",
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

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Ok,
    /// With this error: a short word, [`StoreError::code`] for example, and nothing of what was in it.
    Failed(&'static str),
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts up by one.
    pub id: i64,
    /// When, to the millisecond.
    pub at: Timestamp,
    /// The user's number.
    pub uid: u32,
    /// The process, and the name of its program.
    pub pid: u32,
    /// The name of its program.
    pub program: String,
    /// The name of the program that started it, where that is known.
    pub caller: Option<String>,
    /// What was done, as in [`Action::as_str`].
    pub action: String,
    /// The credential; `None` when it was about the whole store.
    pub address: Option<Address>,
    /// `ok`, or a short word for the error.
    pub outcome: String,
}

const INSERT: &str = "
INSERT INTO audit (at, uid, pid, program, caller, action, provider, credential_set, profile, outcome)
VALUES (:at, :uid, :pid, :program, :caller, :action, :provider, :set, :profile, :outcome)";

const READ: &str = "
SELECT id, at, uid, pid, program, caller, action, provider, credential_set, profile, outcome FROM audit
WHERE :provider IS NULL OR provider = :provider ORDER BY id DESC LIMIT :limit";

impl Store {
    /// Records what was done with a credential, where it was not a change of the store: those record themselves.
    ///
    /// That a secret was handed out is not waited for until it is on the disk, and not for longer than half a second
    /// when somebody else writes.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn audit(&self, action: Action, address: &Address, outcome: Outcome) -> Result<(), StoreError> {
        self.audit_of(action, Some(address), outcome).map_err(|e| self.failed(e))
    }

    fn audit_of(&self, action: Action, address: Option<&Address>, outcome: Outcome) -> rusqlite::Result<()> {
        let record = || record(&self.connection, action, address, outcome);
        match (action, outcome) {
            (Action::Token, _) => self.impatiently(|| {
                self.connection.execute_batch(CHEAP)?;
                let recorded = record();
                self.connection.execute_batch(USUAL)?;
                recorded
            }),
            // Whoever failed because somebody writes has waited already.
            (_, Outcome::Failed(BUSY)) => self.impatiently(record),
            _ => record(),
        }
    }

    fn impatiently(&self, record: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        let recorded = record();
        self.wait_for_writers()?;
        recorded
    }

    /// Under which action the changes that follow are recorded, in place of [`Action::Store`] and
    /// [`Action::Remove`].
    pub fn record_as(&mut self, action: Action) {
        self.action = Some(action);
    }

    /// The newest entries of the log, the newest first; of one provider, if one is named.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn audit_log(&self, provider: Option<&Name>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = || {
            let mut statement = self.connection.prepare_cached(READ)?;
            let parameters = named_params! {":provider": provider.map(Name::as_str), ":limit": limit};
            statement.query_map(parameters, entry)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|e| self.failed(e))
    }

    /// As part of a change.
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

    /// The result of something that was to be done with the whole store; a failure is recorded. What was not begun is none.
    pub(crate) fn audited<T>(&self, action: Action, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done
            && !error.is_before_start()
        {
            let _ = self.audit_store(action, Outcome::Failed(error.code()));
        }
        done
    }

    /// Something that was done with the whole store, and changed nothing in it.
    pub(crate) fn audit_store(&self, action: Action, outcome: Outcome) -> Result<(), StoreError> {
        self.audit_of(action, None, outcome).map_err(|e| self.failed(e))
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
        ":at": Timestamp::now().as_millisecond(),
        ":uid": rustix::process::getuid().as_raw(),
        ":pid": std::process::id(),
        ":program": program(),
        ":caller": caller(),
        ":action": action.as_str(),
        ":provider": address.map(|address| address.provider.as_str()),
        ":set": address.map(|address| address.set.as_str()),
        ":profile": address.map(|address| address.profile.as_str()),
        ":outcome": outcome,
    })?;
    Ok(())
}

fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = env::current_exe().ok();
        let name = path.as_deref().and_then(|path| path.file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    })
}

/// See proc_pid_comm(5).
fn caller() -> Option<String> {
    let parent = rustix::process::getppid()?;
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero())).ok()?;
    Some(name.trim_end().to_owned())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    // One that somebody has made nonsense of hides none of the others.
    let text = |column| -> rusqlite::Result<Option<String>> {
        Ok(row.get_ref(column)?.as_bytes().ok().map(|text| String::from_utf8_lossy(text).into_owned()))
    };
    let number = |column| -> rusqlite::Result<u32> {
        Ok(row.get_ref(column)?.as_i64().ok().and_then(|number| number.try_into().ok()).unwrap_or_default())
    };
    let name =
        |column| -> rusqlite::Result<Option<Name>> { Ok(text(column)?.and_then(|text| text.parse().ok())) };
    let address = match (name(7)?, name(8)?, name(9)?) {
        (Some(provider), Some(set), Some(profile)) => Some(Address { set, provider, profile }),
        _ => None,
    };
    Ok(AuditEntry {
        id: row.get(0)?,
        at: time(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
        uid: number(2)?,
        pid: number(3)?,
        program: text(4)?.unwrap_or_default(),
        caller: text(5)?,
        action: text(6)?.unwrap_or_default(),
        address,
        outcome: text(10)?.unwrap_or_default(),
    })
}
