//! The registry: the bundled descriptors with the user's own over them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::{
    Descriptor, Mode, ReferenceError,
    lint::{self, Finding},
};
use crate::{
    indirect,
    paths::Paths,
    shown,
    suggest::nearest,
    yaml::{self, Problem, Source},
};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/resources/providers");

/// All known providers.
#[derive(Debug, Default)]
pub struct Registry {
    providers: BTreeMap<String, Provider>,
    aliases: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

/// A provider and the files that it comes from.
#[derive(Clone, Debug)]
pub struct Provider {
    descriptor: Descriptor,
    layers: Vec<Layer>,
}

/// One file that a provider comes from.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file's path, or `bundled`.
    pub origin: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Read(Value),
    /// Read a second time only where that is wanted, which is seldom.
    Bundled(&'static str),
}

impl Layer {
    fn bundled(text: &'static str) -> Self {
        Self { origin: "bundled".to_owned(), content: Content::Bundled(text) }
    }

    /// Its content.
    pub fn value(&self) -> Cow<'_, Value> {
        match &self.content {
            Content::Read(value) => Cow::Borrowed(value),
            Content::Bundled(text) => Cow::Owned(yaml::value("bundled", text).unwrap_or_default()),
        }
    }
}

/// A provider that is not known.
#[derive(Debug, thiserror::Error)]
#[error("unknown provider {name}{}", did_you_mean(.nearest))]
pub struct UnknownProvider {
    /// What was asked for, as far as it may be shown.
    pub name: String,
    /// The known name nearest to it.
    pub nearest: Option<String>,
    /// All known names.
    pub known: Vec<String>,
}

/// Why nothing may be sent for a provider.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is no such provider.
    #[error(transparent)]
    Unknown(#[from] UnknownProvider),
    /// Its descriptor is wrong.
    #[error("{}", yaml::join(.0))]
    Wrong(Vec<Problem>),
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

impl std::ops::Deref for Provider {
    type Target = Descriptor;
    fn deref(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl Provider {
    /// With the variables that its login container needs in the place of `env:NAME`.
    ///
    /// # Errors
    /// [`ReferenceError`] names the field and the variable.
    pub fn with_values(&self) -> Result<Self, ReferenceError> {
        let mut provider = self.clone();
        for (name, value) in &mut provider.descriptor.env {
            *value = indirect::value(&format!("env.{name} of provider {}", self.name), value)?;
        }
        Ok(provider)
    }

    /// The files that it comes from; a later one overrides an earlier one field by field.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

impl Registry {
    /// The bundled descriptors alone.
    pub fn bundled() -> Self {
        Self::load(None)
    }

    /// The bundled descriptors and those in `directory`, which need not exist. Files that are wrong are skipped;
    /// [`Registry::problems`] says why.
    pub fn load(directory: Option<&Path>) -> Self {
        Self::load_where(directory, &[], |_| true)
    }

    /// The same of the configuration directory, and over it what a program has described itself:
    /// [`Client::provider`](crate::Client::provider).
    pub fn of(paths: &Paths) -> Self {
        Self::load_where(Some(&paths.providers()), paths.descriptors(), |_| true)
    }

    /// Enough of that to get `name`: see [`Registry::load_for`].
    pub fn of_one(paths: &Paths, name: &str) -> Self {
        let registry = Self::load_where(Some(&paths.providers()), paths.descriptors(), |stem| stem == name);
        if registry.providers.contains_key(name) { registry } else { Self::of(paths) }
    }

    /// Enough of the registry to get `name`: its own files alone, or everything when it is an alias or unknown.
    pub fn load_for(directory: Option<&Path>, name: &str) -> Self {
        let registry = Self::load_where(directory, &[], |stem| stem == name);
        if registry.providers.contains_key(name) { registry } else { Self::load(directory) }
    }

    fn load_where(
        directory: Option<&Path>,
        of_program: &[(String, String)],
        wanted: impl Fn(&str) -> bool,
    ) -> Self {
        let mut registry = Self::default();
        for (name, text) in bundled_files().filter(|(name, _)| wanted(name)) {
            match read_bundled(name, text) {
                Ok(provider) => drop(registry.providers.insert(name.to_owned(), provider)),
                Err(problems) => registry.problems.extend(problems),
            }
        }
        let mut files = directory.map(|d| registry.files(d)).unwrap_or_default();
        files.retain(|path| path.file_stem().and_then(|stem| stem.to_str()).is_some_and(&wanted));
        for path in files {
            let shown = path.display().to_string();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match yaml::read_file(&path) {
                Ok(text) => registry.add(&shown, &stem, &text),
                Err(problem) => registry.problems.push(problem),
            }
        }
        for (name, text) in of_program.iter().filter(|(name, _)| wanted(name)) {
            registry.add(&format!("program/{name}.yaml"), name, text);
        }
        registry.index_aliases();
        registry
    }

    fn files(&mut self, directory: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.problems.push(Problem {
                    file: directory.display().to_string(),
                    at: None,
                    message: format!("cannot be read: {error}"),
                });
                return Vec::new();
            }
        };
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(is_yaml).collect();
        files.sort();
        files
    }

    fn add(&mut self, shown: &str, stem: &str, text: &str) {
        match read(shown, stem, text, self.providers.get(stem)) {
            Ok((descriptor, value)) => {
                let mut layers = self.providers.remove(stem).map(|below| below.layers).unwrap_or_default();
                layers.push(Layer { origin: shown.to_owned(), content: Content::Read(value) });
                self.providers.insert(stem.to_owned(), Provider { descriptor, layers });
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn index_aliases(&mut self) {
        for (name, provider) in &self.providers {
            for alias in &provider.aliases {
                let taken = match (self.providers.contains_key(alias), self.aliases.get(alias)) {
                    (true, _) => Some(alias),
                    (false, other) => other,
                };
                if let Some(other) = taken {
                    let file = provider.layers.last().map(|l| l.origin.clone()).unwrap_or_default();
                    let message = format!("alias {alias:?} of {name} already belongs to {other}");
                    self.problems.push(Problem { file, at: None, message });
                } else {
                    self.aliases.insert(alias.clone(), name.clone());
                }
            }
        }
    }

    /// The provider of that name or alias.
    pub fn get(&self, name: &str) -> Result<&Provider, UnknownProvider> {
        let canonical = self.aliases.get(name).map_or(name, String::as_str);
        self.providers.get(canonical).ok_or_else(|| UnknownProvider {
            name: shown::typed(name),
            nearest: nearest(name, self.providers.keys().chain(self.aliases.keys()).map(String::as_str))
                .map(str::to_owned),
            known: self.providers.keys().cloned().collect(),
        })
    }

    /// The provider of that name or alias, if no file of it is wrong: without its override a secret might go to another
    /// place than the one that is meant.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn sound(&self, name: &str) -> Result<&Provider, Unusable> {
        let found = self.get(name);
        let wrong = self.problems_of(found.as_ref().map_or(name, |provider| &provider.name));
        if wrong.is_empty() { Ok(found?) } else { Err(Unusable::Wrong(wrong)) }
    }

    /// The provider of that name, no alias.
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// What is wrong with the files named after one provider.
    pub fn problems_of(&self, name: &str) -> Vec<Problem> {
        let is_its =
            |problem: &&Problem| Path::new(&problem.file).file_stem().is_some_and(|stem| stem == name);
        self.problems.iter().filter(is_its).cloned().collect()
    }

    /// What is wrong with the files that were skipped.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Everything that is wrong with one descriptor file, taken as an override of the bundled one of the same name
/// where there is one.
pub fn lint_text(shown: &str, stem: &str, text: &str) -> Vec<Problem> {
    let below = bundled_files()
        .find(|(name, _)| *name == stem)
        .and_then(|(name, bundled)| read_bundled(name, bundled).ok());
    read(shown, stem, text, below.as_ref()).err().unwrap_or_default()
}

/// The bundled descriptors: name and text.
pub fn bundled_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUNDLED.files().filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

fn read_bundled(name: &str, text: &'static str) -> Result<Provider, Vec<Problem>> {
    let shown = format!("bundled/{name}.yaml");
    let descriptor = check(&shown, name, text, yaml::parse(&shown, text)?)?;
    Ok(Provider { descriptor, layers: vec![Layer::bundled(text)] })
}

fn read(
    shown: &str,
    stem: &str,
    text: &str,
    below: Option<&Provider>,
) -> Result<(Descriptor, Value), Vec<Problem>> {
    let value = yaml::value(shown, text).map_err(|problem| vec![problem])?;
    let descriptor: Descriptor = match below {
        None => yaml::parse(shown, text)?,
        // An override need not say all that a block needs: only the whole has to be right.
        Some(below) => over(below, shown, text, &value)?,
    };
    Ok((check(shown, stem, text, descriptor)?, value))
}

fn check(
    shown: &str,
    stem: &str,
    text: &str,
    mut descriptor: Descriptor,
) -> Result<Descriptor, Vec<Problem>> {
    if descriptor.name.is_empty() {
        descriptor.name = stem.to_owned();
    }
    if descriptor.name != stem {
        let message = format!("the name {:?} differs from the file's name {stem:?}", descriptor.name);
        return Err(located(shown, text, [Finding { path: "name".into(), message }]));
    }
    complete(&mut descriptor);
    let findings = lint::lint(&descriptor);
    if findings.is_empty() { Ok(descriptor) } else { Err(located(shown, text, findings)) }
}

/// A file merged over what it overrides.
fn over(below: &Provider, shown: &str, text: &str, value: &Value) -> Result<Descriptor, Vec<Problem>> {
    let mut merged = Value::Object(serde_json::Map::new());
    for layer in &below.layers {
        merge(&mut merged, &layer.value());
    }
    merge(&mut merged, value);
    Source::new(shown, text).map_err(|problem| vec![problem])?.read(merged)
}

fn complete(descriptor: &mut Descriptor) {
    if descriptor.modes.is_empty() {
        descriptor.modes = vec![Mode::ApiKey];
    }
    if descriptor.label.is_empty() {
        descriptor.label.clone_from(&descriptor.name);
    }
}

fn located(shown: &str, text: &str, findings: impl IntoIterator<Item = Finding>) -> Vec<Problem> {
    match Source::new(shown, text) {
        Ok(source) => findings
            .into_iter()
            .map(|f| source.problem(&f.path, format!("{}: {}", f.path, f.message)))
            .collect(),
        Err(problem) => vec![problem],
    }
}

/// Merges field by field: maps are merged, everything else is replaced, and null takes a field away.
pub(super) fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                if value.is_null() {
                    below.shift_remove(key);
                } else {
                    merge(below.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}
