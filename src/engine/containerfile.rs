//! Containerfiles (the bundled ones and the user's own) and the tags that identify their content.

use std::{io, path::Path};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::EngineError;
use crate::{fs::read, provider::descriptor::Image};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/images");
/// The largest Containerfile that is read.
const MAX_BYTES: u64 = 1 << 20;

/// An image to build: a Containerfile and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name of the provider that it is built for.
    pub provider: String,
    /// The package with the vendor's CLI: build argument `PACKAGE`.
    pub package: Option<String>,
    /// The version of the vendor's CLI: build argument `VERSION`.
    pub version: Option<String>,
    /// The Containerfile.
    pub containerfile: Vec<u8>,
}

impl Recipe {
    /// Finds the Containerfile of a provider's image: `PROVIDER/Containerfile` or `NAME/Containerfile` in the user's
    /// `directory`, or else the bundled `NAME/Containerfile`.
    ///
    /// # Errors
    /// [`EngineError::NoContainerfile`], [`EngineError::File`]
    pub fn find(provider: &str, image: &Image, directory: &Path) -> Result<Self, EngineError> {
        let bundled = || BUNDLED.get_file(format!("{}/Containerfile", image.name));
        let containerfile = match read_own(directory, [provider, &image.name])? {
            Some(own) => own,
            None => bundled()
                .ok_or_else(|| EngineError::NoContainerfile {
                    name: image.name.clone(),
                    directory: directory.display().to_string(),
                })?
                .contents()
                .to_vec(),
        };
        Ok(Self {
            provider: provider.to_owned(),
            package: image.package.clone(),
            version: image.version.clone(),
            containerfile,
        })
    }

    /// Returns the image's tag: `localhost/authenticate/PROVIDER:HASH`. The hash changes when, and only when, the
    /// Containerfile, the package or the version does.
    pub fn tag(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.containerfile.len() as u64).to_le_bytes());
        hash.update(&self.containerfile);
        hash.update(self.version.as_deref().unwrap_or_default());
        if let Some(package) = &self.package {
            // NUL is in no version.
            hash.update([0]);
            hash.update(package);
        }
        let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("{}{digest}", tag_prefix(&self.provider))
    }
}

/// Returns whether a tag is one that [`Recipe::tag`] makes for the provider.
pub(super) fn is_tag_of(provider: &str, tag: &str) -> bool {
    tag.strip_prefix(&tag_prefix(provider))
        .is_some_and(|digest| digest.len() == 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn tag_prefix(provider: &str) -> String {
    format!("localhost/authenticate/{}:", repository(provider))
}

/// Reads the first Containerfile that exists in the user's own directory.
fn read_own(directory: &Path, names: [&str; 2]) -> Result<Option<Vec<u8>>, EngineError> {
    for name in names {
        let path = directory.join(name).join("Containerfile");
        match read::read_own(&path, MAX_BYTES) {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(EngineError::File { path: path.display().to_string(), source }),
        }
    }
    Ok(None)
}

/// Returns a provider's name as engines accept it in a tag: lower-case letters and digits with single separators.
fn repository(provider: &str) -> String {
    let lower = provider.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    if name.is_empty() { "provider".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn recipe() -> Recipe {
        Recipe {
            provider: "x".into(),
            package: Some("p".into()),
            version: Some("1".into()),
            containerfile: b"FROM scratch".to_vec(),
        }
    }

    fn image(name: &str) -> Image {
        Image { name: name.into(), package: None, version: None }
    }

    #[test]
    fn tag_changes_with_containerfile_version_and_package() {
        assert_eq!(recipe().tag(), recipe().tag());
        for other in [
            Recipe { version: Some("2".into()), ..recipe() },
            Recipe { package: Some("q".into()), ..recipe() },
            Recipe { package: None, ..recipe() },
            Recipe { package: None, version: Some("1p".into()), ..recipe() },
            Recipe { containerfile: b"FROM scratch ".to_vec(), ..recipe() },
        ] {
            assert_ne!(recipe().tag(), other.tag(), "{other:?}");
        }
    }

    #[test]
    fn tag_of_a_provider_names_it_as_engines_accept() {
        for (provider, name) in [
            ("codex", "codex"),
            ("Acme-Test", "acme-test"),
            ("a@b.example+", "a-b-example"),
            ("_", "provider"),
        ] {
            let tag = Recipe { provider: provider.into(), ..recipe() }.tag();
            assert!(tag.starts_with(&format!("localhost/authenticate/{name}:")), "{tag}");
        }
    }

    #[test]
    fn find_prefers_the_providers_then_the_images_own_containerfile() {
        let directory = tempfile::tempdir().expect("directory");
        let own = |name: &str| {
            fs::create_dir(directory.path().join(name)).expect("create");
            fs::write(directory.path().join(name).join("Containerfile"), format!("FROM {name}"))
                .expect("write");
        };
        let found = |name| Recipe::find("acme", &image(name), directory.path());
        assert!(matches!(found("nonesuch"), Err(EngineError::NoContainerfile { .. })));
        assert!(found("node-cli").is_ok(), "a bundled one");
        own("node-cli");
        assert_eq!(found("node-cli").expect("own").containerfile, b"FROM node-cli");
        own("acme");
        assert_eq!(found("node-cli").expect("own").containerfile, b"FROM acme");
    }
}
