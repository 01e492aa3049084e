//! The places of a vendor's files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{directory::Directory, error::CaptureError};
use crate::provider::capture_map::FilePath;

/// The directory of a vendor's files.
#[derive(Clone, Copy, Debug)]
pub struct VendorDir<'a> {
    /// The directory.
    pub path: &'a Path,
    /// The files that are elsewhere, by their names in the capture map.
    pub elsewhere: &'a BTreeMap<String, PathBuf>,
}

static NONE: BTreeMap<String, PathBuf> = BTreeMap::new();

impl<'a> From<&'a Path> for VendorDir<'a> {
    fn from(path: &'a Path) -> Self {
        Self { path, elsewhere: &NONE }
    }
}

impl<'a> VendorDir<'a> {
    /// Opens the directory that a file of the capture map is relative to. Returns the file's path in it, too.
    pub(super) fn open(
        &self,
        file: &'a str,
        open: fn(&Path) -> Result<Directory, CaptureError>,
    ) -> Result<(Directory, FilePath<'a>), CaptureError> {
        let elsewhere = self.elsewhere.get(file);
        let moved = elsewhere.and_then(|path| Some((path.parent()?, path.file_name()?.to_str()?)));
        let (directory, file) = moved.unwrap_or((self.path, file));
        let file = FilePath::parse(file)?;
        Ok((open(directory)?, file))
    }
}
