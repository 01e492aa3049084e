//! The directory where a vendor's own tool keeps its login.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use crate::{
    provider::{Provider, one_or_many::OneOrMany},
    vendor_files::VendorDir,
};

/// The directory of a vendor's tool.
#[derive(Debug)]
pub(super) struct ToolDir {
    pub(super) path: PathBuf,
    /// The environment variable that names it.
    pub(super) variable: Option<String>,
    /// The files of the capture map that the tool keeps elsewhere.
    elsewhere: BTreeMap<String, PathBuf>,
}

impl ToolDir {
    /// The directory `from`, or the first place of `home_dir` whose variable is set: as in the tool, one that names a
    /// directory without a login does not lead to the next place.
    pub(super) fn of(provider: &Provider, from: Option<PathBuf>) -> Option<Self> {
        let first = |places: &OneOrMany| places.iter().find_map(resolve);
        let usual = first(&provider.home_dir);
        let (path, variable) = match from {
            Some(from) => (from, None),
            None => usual.clone()?,
        };
        // Without a slash at the end, which would follow a link.
        let path: PathBuf = path.components().collect();
        let is_usual = usual.is_some_and(|(usual, _)| usual.components().eq(path.components()));
        let files = provider.home_files.iter().filter(|_| is_usual);
        let elsewhere = files.filter_map(|(name, places)| Some((name.clone(), first(places)?.0))).collect();
        Some(Self { path, variable, elsewhere })
    }

    pub(super) fn files(&self) -> VendorDir<'_> {
        VendorDir { path: &self.path, elsewhere: &self.elsewhere }
    }

    /// The path of a file of the capture map.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.elsewhere.get(name).cloned().unwrap_or_else(|| self.path.join(name))
    }
}

/// The directory that a place names, with the variable if it names one. `None` if the variable is not set.
fn resolve(place: &str) -> Option<(PathBuf, Option<String>)> {
    let Some(rest) = place.strip_prefix('$') else {
        let home = directories::BaseDirs::new()?;
        return Some((home.home_dir().join(place.strip_prefix("~/")?), None));
    };
    let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
    let value = env::var_os(name).filter(|value| !value.is_empty())?;
    let path = std::path::absolute(Path::new(&value).join(below)).ok()?;
    Some((path, Some(name.to_owned())))
}
