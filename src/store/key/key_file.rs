//! The source `key_file`: a file with 32 random bytes, 0600, ours alone. By default beside the database, where it
//! protects copies of the database that are made without it, and nothing else.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Context, DataKey, Fresh, Recorded, Source, source::Open};
use crate::store::{
    StoreError,
    seal::{KEY, SealingKey, random},
    trust,
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
    /// Whether we made the file. Only then we remove it some day.
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
}

/// Prepares a key for a new file, or takes the one of a file that is there already. `in_use` is the file that is to
/// be replaced.
pub(in crate::store) fn plan(
    chosen: Option<&Path>,
    in_use: Option<&Recorded>,
    context: &Context,
) -> Result<Fresh, StoreError> {
    let chosen = chosen.unwrap_or(Path::new(FILE_NAME)).to_owned();
    let path = context.directory.join(&chosen);
    let in_use = match in_use {
        Some(Recorded::KeyFile(parameters)) => parameters.path(context) == path,
        _ => false,
    };
    if !in_use && trust::file(&path)?.is_some() {
        let key = read(&path, context)?;
        let mark = mark(&key);
        return Ok(Fresh {
            recorded: Recorded::KeyFile(Parameters { file: chosen.clone(), chosen, made: false, mark }),
            key,
        });
    }
    let key = SealingKey::random()?;
    let mark = mark(&key);
    let mut file = chosen.clone().into_os_string();
    if in_use {
        file.push(format!(".{:016x}", u64::from_be_bytes(random()?)));
    }
    Ok(Fresh { recorded: Recorded::KeyFile(Parameters { file: file.into(), chosen, made: true, mark }), key })
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
        let restore = "put the right one there, or restore a backup";
        context.refuse(Source::KeyFile, format!("{} does not open it: {why}; {restore}", path.display()))
    })
}

fn read(path: &Path, context: &Context) -> Result<SealingKey, StoreError> {
    let refuse = |why: &str| context.refuse(Source::KeyFile, format!("{} {why}", path.display()));
    if trust::file(path)?.is_none() {
        return Err(refuse("is missing: put it back, or restore a backup into an empty data directory"));
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
    SealingKey::from_bytes(bytes.get(..length).unwrap_or_default())
        .ok_or_else(|| refuse("does not hold a key: a key file is 32 random bytes"))
}

pub(super) fn establish(
    parameters: &Parameters,
    key: &SealingKey,
    context: &Context,
) -> Result<(), StoreError> {
    let path = parameters.path(context);
    if !parameters.made {
        return Ok(());
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    if trust::directory(directory)?.is_none() {
        let why = format!("the directory {} does not exist: make it first", directory.display());
        return Err(context.refuse(Source::KeyFile, why));
    }
    let failed = || StoreError::io("create", &path);
    // Whole and on the disk before it has its name. Its name until then is known, too: see `discard`.
    let mut new = tempfile::Builder::new()
        .prefix(&unfinished(&path))
        .rand_bytes(0)
        .tempfile_in(directory)
        .map_err(failed())?;
    new.write_all(key.expose()).map_err(failed())?;
    new.as_file().sync_all().map_err(failed())?;
    new.persist_noclobber(&path).map_err(|error| failed()(error.error))?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed())
}

/// The name of the file while it is being written.
fn unfinished(path: &Path) -> OsString {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    name
}

/// Removes the file if it is the one that we made, whole or not.
pub(super) fn discard(parameters: &Parameters, context: &Context) -> Result<(), StoreError> {
    if !parameters.made {
        return Ok(());
    }
    let path = parameters.path(context);
    for path in [path.with_file_name(unfinished(&path)), path] {
        let Some(found) = trust::file(&path)? else { continue };
        // Not whole, or already overwritten, when we were killed.
        let is_remains =
            found.len() < KEY as u64 || std::fs::read(&path).is_ok_and(|bytes| bytes == [0; KEY]);
        if is_remains || mark(&read(&path, context)?) == parameters.mark {
            overwrite(&path).map_err(StoreError::io("overwrite", &path))?;
            std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
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
