//! A vendor's file, read and written back. The first line names the provider, or the format, whose capture map it is
//! read by; the rest is the file.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::LazyLock};

use authenticate::{
    credential::{Credential, Kind, Metadata, OAuth, Secret},
    provider::{CaptureEntry, Convert, FieldPath, Format, Place, Registry},
    vendor_files::{self, CaptureError, Captured, Choice},
};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::first_line;
use crate::canary::{hidden, undebugged};

mod other;

/// The capture maps by name: those of the bundled descriptors, and ours.
static MAPS: LazyLock<BTreeMap<String, Vec<CaptureEntry>>> = LazyLock::new(|| {
    let mut maps: BTreeMap<String, Vec<CaptureEntry>> =
        serde_yaml::from_str(include_str!("../../maps.yaml")).expect("maps");
    let bundled = Registry::bundled();
    let own = |entry: &&CaptureEntry| entry.unsupported.is_none() && entry.provider.is_none();
    maps.extend(
        bundled
            .iter()
            .map(|provider| (provider.name.clone(), provider.capture.iter().filter(own).cloned().collect())),
    );
    maps
});

pub fn run(format: Format, data: &[u8]) {
    let Some((name, content)) = first_line(data) else { return };
    let Some(entries) = MAPS.get(name) else { return };
    let Some(first) = entries.iter().find(|entry| entry.format == format) else { return };
    // One file's entries: a login of another file would be found first.
    let entries: Vec<_> = entries.iter().filter(|entry| entry.file == first.file).cloned().collect();
    let file = File { entries, name: first.file.clone() };

    let login = file.with(content);
    let found = file.read(&login);
    assert_eq!(login.content(), content, "reading changed the file");
    if let Err(error) = &found {
        secretless(error);
    }
    if let Ok(Some(found)) = &found {
        file.comes_back(found, content);
        file.is_taken_out(found, content);
    }
    let kind = match &found {
        Ok(Some(found)) => found.credential.kind(),
        _ => first.kind,
    };
    file.takes_another(&found, kind, content);
}

/// A vendor's file, and the maps of what it may hold.
struct File {
    entries: Vec<CaptureEntry>,
    name: String,
}

/// A directory with that file in it.
struct Login {
    directory: TempDir,
    file: PathBuf,
}

impl Login {
    fn content(&self) -> Vec<u8> {
        fs::read(&self.file).expect("the file")
    }
}

impl File {
    fn with(&self, content: &[u8]) -> Login {
        let login = self.without();
        fs::create_dir_all(login.file.parent().expect("a directory")).expect("made");
        fs::write(&login.file, content).expect("written");
        login
    }

    fn without(&self) -> Login {
        let directory = tempfile::tempdir().expect("a directory");
        Login { file: directory.path().join(&self.name), directory }
    }

    fn read(&self, login: &Login) -> Result<Option<Captured>, CaptureError> {
        self.choose(login, &Choice::default())
    }

    fn choose(&self, login: &Login, choice: &Choice) -> Result<Option<Captured>, CaptureError> {
        vendor_files::read(login.directory.path(), &self.entries, choice)
    }

    fn write(&self, login: &Login, credential: &Credential, metadata: &Metadata) -> Result<(), CaptureError> {
        let none = BTreeMap::new();
        vendor_files::write(login.directory.path(), &self.entries, &none, credential, metadata)
    }

    /// Written where it was, and into a new file, a login is the same.
    fn comes_back(&self, found: &Captured, content: &[u8]) {
        let Captured { credential, metadata, .. } = found;
        if !matches!(credential, Credential::Basic { .. }) {
            undebugged(credential);
        }
        let labels = [&metadata.account, &metadata.host].into_iter().flatten().chain(&metadata.scopes);
        labels.for_each(|label| assert!(!label.contains(char::is_control), "{label:?}"));

        let entry = self.entry(credential.kind());
        let is_the_same = |login: &Login| {
            let now = self.read(login).expect("readable").expect("a credential");
            let [now, found] = [&now, found].map(|captured| other::without_defaults(entry, captured));
            let [now, found] = [now, found].map(|captured| (captured.credential, captured.metadata));
            assert_eq!(now, found, "{}", shown(&login.content()));
        };

        let login = self.with(content);
        self.write(&login, credential, metadata).expect("what was read can be written");
        let once = login.content();
        is_the_same(&login);
        self.keeps_the_rest(content, &once);
        self.write(&login, credential, metadata).expect("again");
        assert_eq!(shown(&login.content()), shown(&once), "the second time it is something else");

        // Where a key that is data is in no part of the credential, only its own file says it.
        let starred = |path: &&Place| path.path.split('/').any(|segment| segment == "*");
        let is_key = |path: &Place| path.convert == Some(Convert::Key) && path.pattern.is_none();
        let is_known = all(entry).any(is_key);
        if is_known || all(entry).filter(starred).count() == 0 {
            let new = self.without();
            self.write(&new, credential, metadata).expect("written into a new file");
            is_the_same(&new);
        }
    }

    /// Taken out it is not there any more, and the rest is.
    fn is_taken_out(&self, found: &Captured, content: &[u8]) {
        let login = self.with(content);
        match vendor_files::remove(login.directory.path(), &self.entries, found) {
            Err(error) => {
                secretless(&error);
                assert_eq!(login.content(), content, "{error}");
            }
            Ok(vendor_files::Removed::File) => assert!(!login.file.exists()),
            Ok(vendor_files::Removed::Fields) => {
                // Another account may have the same secret.
                let same = |left: &Captured| {
                    let (now, before) = (&left.metadata, &found.metadata);
                    left.credential == found.credential
                        && (&now.account, &now.host) == (&before.account, &before.host)
                };
                let is_left = self.read(&login).is_ok_and(|left| left.as_ref().is_some_and(same));
                assert!(!is_left, "{}", shown(&login.content()));
            }
        }
    }

    /// Another login takes its place, whole; or it is refused and nothing has changed.
    fn takes_another(&self, found: &Result<Option<Captured>, CaptureError>, kind: Kind, content: &[u8]) {
        let (credential, metadata) = other::login(self.entry(kind));
        let login = self.with(content);
        match self.write(&login, &credential, &metadata) {
            Err(error) => {
                secretless(&error);
                assert_eq!(login.content(), content, "{error}");
            }
            Ok(()) => {
                let written = login.content();
                self.keeps_the_rest(content, &written);
                // Others may be preferred.
                let host = self.entry(kind).fields.host.as_ref().and(metadata.host.clone());
                match self.choose(&login, &Choice { host, ..Choice::default() }) {
                    // Beside it may be one that the map takes first.
                    Ok(Some(now)) if now.credential.kind() == kind => {
                        // What the map does not name stays in the file.
                        let now = other::without_kept(&now.credential);
                        assert_eq!(now, other::without_kept(&credential), "{}", shown(&written));
                    }
                    Err(
                        CaptureError::Ambiguous { .. }
                        | CaptureError::NotChosen { .. }
                        | CaptureError::Unusable { .. },
                    ) => {}
                    now => assert!(!matches!(found, Ok(Some(_))), "{now:?}: {}", shown(&written)),
                }
            }
        }
    }

    fn entry(&self, kind: Kind) -> &CaptureEntry {
        self.entries.iter().find(|entry| entry.kind == kind).expect("an entry of that kind")
    }

    /// Everything that no map names is as it was.
    fn keeps_the_rest(&self, before: &[u8], after: &[u8]) {
        let paths: Vec<&str> = self
            .entries
            .iter()
            .flat_map(|entry| {
                let defaults = entry.defaults.keys().map(String::as_str);
                all(entry)
                    .filter(|path| path.convert != Some(Convert::Key))
                    .map(|path| path.path.as_str())
                    .chain(defaults)
                    .chain(entry.when.keys().map(String::as_str))
            })
            .collect();
        let tree = |content| other::tree(self.entries[0].format, content);
        let (Some(before_tree), Some(after_tree)) = (tree(before), tree(after)) else { return };
        let rest = |mut tree: Value| {
            for path in &paths {
                let segments: Vec<_> = path[1..].split('/').collect();
                other::strip(&mut tree, &segments);
            }
            other::without_empty(tree)
        };
        assert_eq!(rest(after_tree), rest(before_tree), "before: {}\nafter: {}", shown(before), shown(after));
    }
}

fn all(entry: &CaptureEntry) -> impl Iterator<Item = &Place> {
    let fields = &entry.fields;
    let named = [
        &fields.key,
        &fields.access_token,
        &fields.refresh_token,
        &fields.id_token,
        &fields.token,
        &fields.username,
        &fields.password,
        &fields.expires_at,
        &fields.account,
        &fields.plan,
        &fields.host,
        &fields.scopes,
    ];
    let all = named.into_iter().flatten().chain(fields.extra.values());
    all.flat_map(|path: &FieldPath| path.iter()).filter(|place| place.file.is_none())
}

/// Keys that stand for `*` are named; nothing else of a file is.
fn secretless(error: &CaptureError) {
    match error {
        CaptureError::Ambiguous { .. } | CaptureError::NotChosen { .. } | CaptureError::Unwritable { .. } => {
        }
        error => hidden(error),
    }
}

fn shown(content: &[u8]) -> String {
    String::from_utf8_lossy(content).into_owned()
}
