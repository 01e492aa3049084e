//! The source `key_file`: a file with 32 random bytes, mode 0600, that is ours alone.
//!
//! By default it is beside the database. There it protects copies of the database that are made without it, and
//! nothing else.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, Permissions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Context, DataKey, KeyLocation, KeySource, NewKey, Purpose, RESTORE, location::Open};
use crate::{
    fs::private::rename_new,
    store::{
        StoreError,
        crypto::seal::{KEY, SealingKey, random},
        db::permissions,
    },
};

/// The name of the file in the data directory, unless another path is chosen.
const FILE_NAME: &str = "store.key";

/// The record of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The path of the file, relative to the data directory.
    file: PathBuf,
    /// The path that was chosen. If that was taken, `file` is another one beside it.
    pub(super) chosen: PathBuf,
    /// Whether we made the file.
    made: bool,
    /// A fingerprint of the key.
    pub(super) mark: String,
}

impl Parameters {
    pub(super) fn path(&self, context: &Context) -> PathBuf {
        context.directory.join(&self.file)
    }

    /// Returns whether no other store can use the file. One whose path was chosen may be the key of several.
    fn is_ours_alone(&self) -> bool {
        self.made && (self.file != self.chosen || self.chosen == Path::new(FILE_NAME))
    }

    /// Returns the name of the file while it is being written. No other store writes a file of that name.
    fn unfinished(&self, path: &Path) -> OsString {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", self.mark));
        name
    }

    /// Removes a file that holds this key, or the remains of it.
    fn remove(&self, path: &Path, context: &Context) -> Result<(), StoreError> {
        let Some(found) = permissions::file(path)? else { return Ok(()) };
        // A killed process leaves a file that is incomplete or already overwritten.
        let is_remains = found.len() < KEY as u64
            || std::fs::read(path).map(Zeroizing::new).is_ok_and(|bytes| **bytes == [0; KEY]);
        if is_remains || mark(&read(path, context)?) == self.mark {
            // A file that was made read-only is ours all the same.
            let _ = std::fs::set_permissions(path, Permissions::from_mode(0o600));
            overwrite(path).map_err(StoreError::io("overwrite", path))?;
            std::fs::remove_file(path).map_err(StoreError::io("remove", path))?;
        }
        Ok(())
    }

    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let path = self.path(context);
        let key = read(&path, context)?;
        open(&key).ok_or_else(|| {
            let why = match mark(&key) == self.mark {
                true => "the database's record of it was altered",
                false => "it holds another key",
            };
            let path = path.display();
            let why = format!("{path} does not open it: {why}; put the right one there, or {RESTORE}");
            context.refuse(KeySource::KeyFile, why)
        })
    }

    pub(super) fn install(&self, key: &SealingKey, context: &Context) -> Result<bool, StoreError> {
        let path = self.path(context);
        if !self.made {
            return Ok(true);
        }
        let directory = path.parent().unwrap_or(Path::new("/"));
        if permissions::directory(directory)?.is_none() {
            let why = format!("the directory {} does not exist: make it first", directory.display());
            return Err(context.refuse(KeySource::KeyFile, why));
        }
        let failed = || StoreError::io("create", &path);
        // It gets its name when it is complete and synced. Its name until then is known, so `uninstall` finds it.
        let mut new = tempfile::Builder::new()
            .prefix(&self.unfinished(&path))
            .rand_bytes(0)
            .tempfile_in(directory)
            .map_err(failed())?;
        new.write_all(key.expose()).map_err(failed())?;
        new.as_file().sync_all().map_err(failed())?;
        match rename_new(new.path(), &path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            made => made.map_err(failed())?,
        }
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed())?;
        Ok(true)
    }

    pub(super) fn uninstall(&self, context: &Context) -> Result<bool, StoreError> {
        let path = self.path(context);
        if self.made {
            self.remove(&path.with_file_name(self.unfinished(&path)), context)?;
        }
        if self.is_ours_alone() {
            self.remove(&path, context)?;
            return Ok(true);
        }
        let is_there = permissions::file(&path)?.is_some() && mark(&read(&path, context)?) == self.mark;
        Ok(!is_there)
    }
}

/// Plans a key in a new file, or takes the key of an existing file.
///
/// A file at a spent location, or a copy of one, is not taken. A new file beside it is planned instead.
pub(in crate::store) fn plan(
    chosen: Option<&Path>,
    spent: &[KeyLocation],
    context: &Context,
) -> Result<NewKey, StoreError> {
    let chosen = chosen.unwrap_or(Path::new(FILE_NAME)).to_owned();
    let path = context.directory.join(&chosen);
    if chosen.to_str().is_none() {
        // The record is JSON. Without it nobody could find the key again.
        let why = format!("{} is not UTF-8: choose another place", chosen.display());
        return Err(context.refuse(KeySource::KeyFile, why));
    }
    refuse_file_of_another_store(&path, context)?;
    let new = |file, made, key: SealingKey| {
        let parameters = Parameters { file, chosen: chosen.clone(), made, mark: mark(&key) };
        NewKey { location: KeyLocation::KeyFile(parameters), key }
    };
    let is_spent = |name: String| spent.iter().any(|spent| spent.external(context).contains(&name));
    let mut is_taken = is_spent(path.display().to_string());
    if !is_taken && permissions::file(&path)?.is_some() {
        let key = read(&path, context)?;
        is_taken = is_spent(mark(&key));
        if !is_taken {
            return Ok(new(chosen.clone(), false, key));
        }
    }
    let mut file = chosen.clone().into_os_string();
    if is_taken {
        file.push(format!(".{:016x}", u64::from_be_bytes(random()?)));
    }
    Ok(new(file.into(), true, SealingKey::random()?))
}

/// Refuses a file beside the database of another store, which removes it when it is rekeyed.
fn refuse_file_of_another_store(path: &Path, context: &Context) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    if directory.join(crate::store::FILE_NAME).exists()
        && !permissions::is_same(directory, &context.directory)
    {
        let why = format!("{} lies beside another store: choose another place", path.display());
        return Err(context.refuse(KeySource::KeyFile, why));
    }
    Ok(())
}

fn read(path: &Path, context: &Context) -> Result<SealingKey, StoreError> {
    let refuse = |why: &str| context.refuse(KeySource::KeyFile, format!("{} {why}", path.display()));
    if permissions::file(path)?.is_none() {
        return Err(refuse(&format!("is missing: put it back, or {RESTORE}")));
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file =
        OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(StoreError::io("read", path))?;
    // Large enough from the start, because a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY + 1));
    file.take(KEY as u64 + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    let out = || match context.when {
        Purpose::Opening => format!("put the right one there, or {RESTORE}"),
        Purpose::First | Purpose::Rekey { .. } => "name another, or move it away to have one made".to_owned(),
    };
    SealingKey::from_bytes(&bytes)
        .ok_or_else(|| refuse(&format!("does not hold a key: a key file is 32 random bytes; {}", out())))
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    let length = file.metadata()?.size().min(KEY as u64) as usize;
    file.write_all(&[0; KEY][..length])?;
    file.sync_all()
}

fn mark(key: &SealingKey) -> String {
    let mut hash = Sha256::new();
    hash.update("authenticate key file");
    hash.update(key.expose());
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    use super::*;
    use crate::store::key::PromptPolicy;

    fn rekey_in(directory: &Path) -> Context {
        Context {
            when: Purpose::Rekey { from: None },
            database: directory.join("credentials.db"),
            directory: directory.to_owned(),
            place: directory.into(),
            asking: PromptPolicy::No,
        }
    }

    #[test]
    fn key_file_that_cannot_be_recorded_is_refused() {
        let home = tempfile::TempDir::new().expect("a directory");
        let chosen = home.path().join(OsStr::from_bytes(b"\xff.key"));
        let error = plan(Some(&chosen), &[], &rekey_in(home.path())).expect_err("no record");
        assert!(error.to_string().contains("is not UTF-8"), "{error}");
    }

    #[test]
    fn spent_key_file_and_its_copy_are_not_taken_again() {
        let home = tempfile::TempDir::new().expect("a directory");
        let context = rekey_in(home.path());
        let first = plan(None, &[], &context).expect("planned");
        first.location.install(&first.key, &context).expect("made");
        let is_first = |fresh: &NewKey| fresh.location.is_same(&first.location, &context);
        let path = home.path().join(FILE_NAME);
        let copy = home.path().join("copy");
        std::fs::copy(&path, &copy).expect("copied");
        for chosen in [None, Some(path.as_path()), Some(&copy)] {
            let again = plan(chosen, &[], &context).expect("planned");
            assert!(is_first(&again), "a file that is not spent is taken");
            let spent = std::slice::from_ref(&first.location);
            let other = plan(chosen, spent, &context).expect("planned");
            assert!(!is_first(&other), "{chosen:?}");
        }
    }
}
