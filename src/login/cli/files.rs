//! The files of a login, as its container leaves them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    blocking,
    engine::{Container, EngineError},
    provider::CaptureEntry,
    vendor_files::{self, CaptureError, Captured, Choice},
};

/// The number of times that a container's files are asked for, and the pause in between.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// The time between two looks at the marker.
const LOOK: Duration = Duration::from_millis(5);

/// The files of a login.
#[derive(Clone, Debug)]
pub(super) struct LoginFiles {
    /// Our directory: the container's own, or that of our copies.
    pub(super) dir: PathBuf,
    pub(super) map: Vec<CaptureEntry>,
    /// The container that the files are copied out of, where it has a volume of its own.
    pub(super) volume: Option<Container>,
}

impl LoginFiles {
    /// Reads the credential.
    pub(super) async fn read(&self) -> Result<Option<Captured>, CaptureError> {
        self.copy_out().await?;
        let (dir, map) = (self.dir.clone(), self.map.clone());
        blocking::run(move || vendor_files::read(dir.as_path(), &map, &Choice::any_provider())).await
    }

    /// Reads the credential that is there at the end, and the names of all files. An engine that does not answer is asked
    /// again: what the vendor has issued is nowhere else.
    pub(super) async fn read_last(&self) -> (Result<Option<Captured>, CaptureError>, Vec<String>) {
        let mut read = self.read().await;
        for _ in 1..ATTEMPTS {
            if !matches!(&read, Err(CaptureError::Io { .. })) || self.volume.is_none() {
                break;
            }
            sleep(PAUSE).await;
            read = self.read().await;
        }
        let names = match &self.volume {
            Some(container) => container.list().await,
            None => {
                let dir = self.dir.clone();
                blocking::run(move || vendor_files::names(&dir)).await
            }
        };
        (read, names)
    }

    async fn copy_out(&self) -> Result<(), CaptureError> {
        let Some(container) = &self.volume else { return Ok(()) };
        let names: BTreeSet<String> = self.map.iter().flat_map(CaptureEntry::files).collect();
        for name in names {
            let content = container.copy_out(&name).await.map_err(|error| {
                let source = io::Error::other(error);
                CaptureError::Io { file: name.clone(), action: "copy out", source }
            })?;
            let dir = self.dir.clone();
            blocking::run(move || vendor_files::put_copy(&dir, &name, content)).await?;
        }
        Ok(())
    }
}

/// Copies our files into the container's volume.
pub(super) async fn copy_in(container: &Container, mount: &str, dir: &Path) -> Result<(), EngineError> {
    let failed = |source| EngineError::Io { action: "read the files of the login".into(), source };
    let files = dir.to_owned();
    let files = blocking::run(move || {
        let mut found = Vec::new();
        collect(&files, "", &mut found).map(|()| found)
    });
    let files = files.await.map_err(failed)?;
    let files = files.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
    container.upload(mount, 0o600, files).await
}

/// Reads the files in a directory that nobody else has written to.
fn collect(
    dir: &Path,
    prefix: &str,
    found: &mut Vec<(String, zeroize::Zeroizing<Vec<u8>>)>,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        let name = format!("{prefix}{name}");
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), &format!("{name}/"), found)?,
            false => found.push((name, fs::read(entry.path())?.into())),
        }
    }
    Ok(())
}

/// A file by which a container shows that it writes into our directory. Removed when dropped.
pub(super) struct Marker(PathBuf);

impl Marker {
    pub(super) fn new(dir: &Path, name: &str) -> io::Result<Self> {
        let path = dir.join(name);
        fs::write(&path, "empty this\n")?;
        Ok(Self(path))
    }

    /// Returns once the container has emptied the file.
    pub(super) async fn emptied(&self) {
        while !fs::symlink_metadata(&self.0).is_ok_and(|found| found.len() == 0) {
            sleep(LOOK).await;
        }
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
