//! The source `key_file`: a file with 32 random bytes, 0600, ours alone. By default beside the database, where it
//! protects copies of the database that are made without it, and nothing else.

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

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, RESTORE,
    source::{Open, Purpose},
};
use crate::store::{
    StoreError,
    crypto::seal::{KEY, SealingKey, random},
    db::permissions,
};

/// The name of the file in the data directory, unless another place is chosen.
const FILE_NAME: &str = "store.key";

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// Where the file is; relative to the data directory.
    file: PathBuf,
    /// The path that was chosen; `file` is another beside it when that was taken.
    chosen: PathBuf,
    /// Whether we made the file.
    made: bool,
    /// Tells this key from others, and nothing about it.
    mark: String,
}

impl Parameters {
    pub fn path(&self, context: &Context) -> PathBuf {
        context.directory.join(&self.file)
    }

    /// The path that was chosen.
    pub fn chosen(&self) -> &Path {
        &self.chosen
    }

    /// Whether these are the settings that led to it.
    pub fn is_chosen_by(&self, file: &Path) -> bool {
        self.chosen == file
    }

    /// Whether both are of one file, or of copies of it.
    pub fn is_same(&self, other: &Self, context: &Context) -> bool {
        self.mark == other.mark || self.path(context) == other.path(context)
    }

    /// Whether no other store can have the file. One that somebody has named may be the key of several.
    fn is_ours_alone(&self) -> bool {
        self.made && (self.file != self.chosen || self.chosen == Path::new(FILE_NAME))
    }
}

/// Prepares a key for a new file, or takes the one of a file that is there already, unless it is one of those that are
/// `spent`: in use until now, or of no use any more.
pub(in crate::store) fn plan(
    chosen: Option<&Path>,
    spent: &[KeyLocation],
    context: &Context,
) -> Result<NewKey, StoreError> {
    let chosen = chosen.unwrap_or(Path::new(FILE_NAME)).to_owned();
    let path = context.directory.join(&chosen);
    refuse_that_of_another_store(&path, context)?;
    let spent = || spent.iter().filter_map(KeyLocation::as_key_file);
    let mut is_taken = spent().any(|parameters| parameters.path(context) == path);
    if !is_taken && permissions::file(&path)?.is_some() {
        let key = read(&path, context)?;
        let mark = mark(&key);
        is_taken = spent().any(|parameters| parameters.mark == mark);
        if !is_taken {
            let parameters = Parameters { file: chosen.clone(), chosen, made: false, mark };
            return Ok(NewKey { recorded: KeyLocation::KeyFile(parameters), key });
        }
    }
    let key = SealingKey::random()?;
    let mark = mark(&key);
    let mut file = chosen.clone().into_os_string();
    if is_taken {
        file.push(format!(".{:016x}", u64::from_be_bytes(random()?)));
    }
    Ok(NewKey {
        recorded: KeyLocation::KeyFile(Parameters { file: file.into(), chosen, made: true, mark }),
        key,
    })
}

/// What lies in a store's directory is that store's, which takes it away when it gets another key.
fn refuse_that_of_another_store(path: &Path, context: &Context) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let database = directory.join(crate::store::FILE_NAME);
    let is_other = || match (directory.canonicalize(), context.directory.canonicalize()) {
        (Ok(theirs), Ok(ours)) => theirs != ours,
        _ => true,
    };
    match database.exists() && is_other() {
        true => {
            let why = format!("{} lies beside another store: choose another place", path.display());
            Err(context.refuse(KeySource::KeyFile, why))
        }
        false => Ok(()),
    }
}

pub(super) fn unwrap(
    parameters: &Parameters,
    context: &Context,
    open: Open<'_>,
) -> Result<DataKey, StoreError> {
    let path = parameters.path(context);
    let key = read(&path, context)?;
    open(&key).ok_or_else(|| {
        let why = if mark(&key) == parameters.mark {
            "the database's record of it was altered"
        } else {
            "it holds another key"
        };
        let why =
            format!("{} does not open it: {why}; put the right one there, or {RESTORE}", path.display());
        context.refuse(KeySource::KeyFile, why)
    })
}

fn read(path: &Path, context: &Context) -> Result<SealingKey, StoreError> {
    let refuse = |why: &str| context.refuse(KeySource::KeyFile, format!("{} {why}", path.display()));
    if permissions::file(path)?.is_none() {
        return Err(refuse(&format!("is missing: put it back, or {RESTORE}")));
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file =
        OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(StoreError::io("read", path))?;
    let mut bytes = Zeroizing::new([0; KEY + 1]);
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(StoreError::io("read", path))? {
            0 => break,
            more => length += more,
        }
    }
    let out = || match context.when {
        Purpose::Opening => format!("put the right one there, or {RESTORE}"),
        Purpose::First | Purpose::Rekey { .. } => "name another, or move it away to have one made".to_owned(),
    };
    SealingKey::from_bytes(bytes.get(..length).unwrap_or_default())
        .ok_or_else(|| refuse(&format!("does not hold a key: a key file is 32 random bytes; {}", out())))
}

/// False when somebody else has made the file meanwhile: it is to be planned again.
pub(super) fn establish(
    parameters: &Parameters,
    key: &SealingKey,
    context: &Context,
) -> Result<bool, StoreError> {
    let path = parameters.path(context);
    if !parameters.made {
        return Ok(true);
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    if permissions::directory(directory)?.is_none() {
        let why = format!("the directory {} does not exist: make it first", directory.display());
        return Err(context.refuse(KeySource::KeyFile, why));
    }
    let failed = || StoreError::io("create", &path);
    // Whole and on the disk before it has its name. Its name until then is known, too: see `discard`.
    let mut new = tempfile::Builder::new()
        .prefix(&parameters.unfinished(&path))
        .rand_bytes(0)
        .tempfile_in(directory)
        .map_err(failed())?;
    new.write_all(key.expose()).map_err(failed())?;
    new.as_file().sync_all().map_err(failed())?;
    match new.persist_noclobber(&path) {
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        made => made.map_err(|error| failed()(error.error))?,
    };
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed())?;
    Ok(true)
}

impl Parameters {
    /// The name of the file while it is being written: no other store writes one of that name.
    fn unfinished(&self, path: &Path) -> OsString {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", self.mark));
        name
    }
}

/// Removes the file if it is ours alone and the one that we made, whole or not. False when it is still there.
pub(super) fn discard(parameters: &Parameters, context: &Context) -> Result<bool, StoreError> {
    let path = parameters.path(context);
    if parameters.made {
        remove(parameters, &path.with_file_name(parameters.unfinished(&path)), context)?;
    }
    if parameters.is_ours_alone() {
        remove(parameters, &path, context)?;
        return Ok(true);
    }
    let is_there = permissions::file(&path)?.is_some() && mark(&read(&path, context)?) == parameters.mark;
    Ok(!is_there)
}

fn remove(parameters: &Parameters, path: &Path, context: &Context) -> Result<(), StoreError> {
    let Some(found) = permissions::file(path)? else { return Ok(()) };
    // Not whole, or already overwritten, when we were killed.
    let is_remains = found.len() < KEY as u64
        || std::fs::read(path).map(Zeroizing::new).is_ok_and(|bytes| **bytes == [0; KEY]);
    if is_remains || mark(&read(path, context)?) == parameters.mark {
        // One that was made read-only is ours all the same.
        let _ = std::fs::set_permissions(path, Permissions::from_mode(0o600));
        overwrite(path).map_err(StoreError::io("overwrite", path))?;
        std::fs::remove_file(path).map_err(StoreError::io("remove", path))?;
    }
    Ok(())
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
    use super::*;
    use crate::store::key::PromptPolicy;

    #[test]
    fn what_could_not_be_removed_is_not_taken_again() {
        let home = tempfile::TempDir::new().expect("a directory");
        let directory = home.path().to_owned();
        let database = directory.join("credentials.db");
        let context =
            Context { when: Purpose::Rekey { from: None }, database, directory, asking: PromptPolicy::No };
        let first = plan(None, &[], &context).expect("planned");
        first.recorded.install(&first.key, &context).expect("made");
        let is_first = |fresh: &NewKey| fresh.recorded.is_same(&first.recorded, &context);
        let path = home.path().join(FILE_NAME);
        let copy = home.path().join("copy");
        std::fs::copy(&path, &copy).expect("copied");
        for chosen in [None, Some(path.as_path()), Some(&copy)] {
            let again = plan(chosen, &[], &context).expect("planned");
            assert!(is_first(&again), "one that nobody has put away is taken");
            let spent = std::slice::from_ref(&first.recorded);
            let other = plan(chosen, spent, &context).expect("planned");
            assert!(!is_first(&other), "{chosen:?}");
        }
    }
}
