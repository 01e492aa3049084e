//! Containerfiles: the bundled ones and the user's own, and the tag that names their content.

use std::{io, path::Path};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::EngineError;
use crate::fs::read::read_own;

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/images");
/// A Containerfile is text written by a person.
const MAX_BYTES: u64 = 1 << 20;

/// An image that we can build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Name of its directory.
    pub name: String,
    /// Version of the vendor's CLI.
    pub version: Option<String>,
    /// The Containerfile.
    pub containerfile: Vec<u8>,
}

impl Recipe {
    /// The user's own Containerfile in `directory/<name>/`, or else the bundled one.
    ///
    /// # Errors
    /// [`EngineError::NoContainerfile`], [`EngineError::File`]
    pub fn find(name: &str, version: Option<&str>, directory: &Path) -> Result<Self, EngineError> {
        let own = directory.join(name).join("Containerfile");
        let containerfile = match read_own(&own, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(EngineError::File { path: own.display().to_string(), source });
            }
            Err(_) => BUNDLED
                .get_file(format!("{name}/Containerfile"))
                .ok_or_else(|| EngineError::NoContainerfile {
                    name: name.to_owned(),
                    directory: directory.display().to_string(),
                })?
                .contents()
                .to_vec(),
        };
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned), containerfile })
    }

    /// The image's tag: it changes when, and only when, the Containerfile or the version does.
    pub fn tag(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.containerfile.len() as u64).to_le_bytes());
        hash.update(&self.containerfile);
        hash.update(self.version.as_deref().unwrap_or_default());
        let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("localhost/authenticate/{}:{digest}", self.name.to_lowercase())
    }
}

/// Names of the bundled images.
pub fn bundled() -> impl Iterator<Item = &'static str> {
    BUNDLED.dirs().filter_map(|dir| dir.path().to_str())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_edit_or_another_version_is_another_tag() {
        let recipe =
            Recipe { name: "x".into(), version: Some("1".into()), containerfile: b"FROM scratch".to_vec() };
        let other = Recipe { version: Some("2".into()), ..recipe.clone() };
        let edited = Recipe { containerfile: b"FROM scratch ".to_vec(), ..recipe.clone() };
        assert_eq!(recipe.tag(), recipe.clone().tag());
        assert_ne!(recipe.tag(), other.tag());
        assert_ne!(recipe.tag(), edited.tag());
    }

    #[test]
    fn the_users_own_containerfile_comes_first() {
        let directory = tempfile::tempdir().expect("directory");
        assert!(matches!(
            Recipe::find("nonesuch", None, directory.path()),
            Err(EngineError::NoContainerfile { .. })
        ));
        fs::create_dir(directory.path().join("nonesuch")).expect("create");
        fs::write(directory.path().join("nonesuch/Containerfile"), "FROM own").expect("write");
        let recipe = Recipe::find("nonesuch", None, directory.path()).expect("own");
        assert_eq!(recipe.containerfile, b"FROM own");
    }
}
