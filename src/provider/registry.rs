//! The registry: the bundled descriptors with the user's own over them.

use std::{borrow::Cow, collections::BTreeMap, fs, path::Path, sync::LazyLock};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::{
    Descriptor, Mode,
    lint::{self, Finding},
};
use crate::{
    config::{
        Paths, ReferenceError, env_value,
        suggest::nearest,
        yaml::{self, Problem, Source},
    },
    redact,
};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/resources/providers");

/// All known providers.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    providers: BTreeMap<String, Provider>,
    aliases: BTreeMap<String, String>,
    problems: Vec<Problem>,
    /// Those of the user's directory as a whole: a file of any provider may be among what was not read.
    directory_problems: Vec<Problem>,
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

    fn is_bundled(&self) -> bool {
        matches!(self.content, Content::Bundled(_))
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
            *value = env_value::value(&format!("env.{name} of provider {}", self.name), value)?;
        }
        Ok(provider)
    }

    /// Whether the bundled descriptor has this alias.
    fn is_bundled_alias(&self, alias: &str) -> bool {
        let [first, own @ ..] = &self.layers[..] else { return false };
        let has = |aliases: &Value| aliases.as_array().is_some_and(|all| all.iter().any(|one| one == alias));
        first.is_bundled() && (own.is_empty() || first.value().get("aliases").is_some_and(has))
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
    pub fn load_all(paths: &Paths) -> Self {
        Self::load_where(Some(&paths.providers()), paths.descriptors(), |_| true)
    }

    /// Enough of that to get `name`: see [`Registry::load_for`].
    pub fn load_one(paths: &Paths, name: &str) -> Self {
        let registry = Self::load_where(Some(&paths.providers()), paths.descriptors(), |stem| stem == name);
        if registry.providers.contains_key(name) { registry } else { Self::load_all(paths) }
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
        registry.add_bundled(&wanted);
        if let Some(directory) = directory {
            registry.add_own(directory, &wanted);
        }
        for (name, text) in of_program.iter().filter(|(name, _)| wanted(name)) {
            registry.add(&format!("program/{name}.yaml"), name, text);
        }
        registry.index_aliases();
        registry
    }

    fn add_bundled(&mut self, wanted: impl Fn(&str) -> bool) {
        for (name, text) in bundled_files().filter(|(name, _)| wanted(name)) {
            match read_bundled(name, text) {
                Ok(provider) => drop(self.providers.insert(name.to_owned(), provider)),
                Err(problems) => self.problems.extend(problems),
            }
        }
    }

    fn add_own(&mut self, directory: &Path, wanted: impl Fn(&str) -> bool) {
        let (files, unread) = yaml::files(directory);
        self.problems.extend(unread.iter().cloned());
        self.directory_problems.extend(unread);
        for path in files {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if !wanted(&stem) {
                continue;
            }
            if let Some(problem) = duplicate_file(&path) {
                self.problems.push(problem);
                continue;
            }
            let shown = path.display().to_string();
            match yaml::read_file(&path) {
                Ok(text) => self.add(&shown, &stem, &text),
                Err(problem) => self.problems.push(problem),
            }
        }
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

    /// A name comes before an alias, and an alias of a bundled descriptor before one of the user's own.
    fn index_aliases(&mut self) {
        self.aliases.clear();
        let mut all: Vec<(bool, &String, usize, &String)> = Vec::new();
        for (name, provider) in &self.providers {
            let aliases = provider.aliases.iter().enumerate();
            all.extend(aliases.map(|(index, alias)| (!provider.is_bundled_alias(alias), name, index, alias)));
        }
        all.sort();
        for (is_own, name, index, alias) in all {
            let other = match self.providers.get_key_value(alias) {
                // A provider of one's own may be named so.
                Some(_) if !is_own => continue,
                Some((other, _)) => Some(other),
                None => self.aliases.get(alias),
            };
            match other {
                None => drop(self.aliases.insert(alias.clone(), name.clone())),
                Some(other) => {
                    let message = format!("alias {alias:?} of {name} already belongs to {other}");
                    let place = format!("aliases[{index}]");
                    let file =
                        self.providers.get(name).and_then(|p| p.layers.last()).map(|l| l.origin.as_str());
                    self.problems.push(problem_in(file.unwrap_or_default(), &place, message));
                }
            }
        }
    }

    /// The provider of that name or alias.
    pub fn get(&self, name: &str) -> Result<&Provider, UnknownProvider> {
        let canonical = self.aliases.get(name).map_or(name, String::as_str);
        self.providers.get(canonical).ok_or_else(|| UnknownProvider {
            name: redact::quote(name),
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
    pub fn usable(&self, name: &str) -> Result<&Provider, Unusable> {
        let found = self.get(name);
        let wrong = self.problems_of(found.as_ref().map_or(name, |provider| &provider.name));
        if wrong.is_empty() { Ok(found?) } else { Err(Unusable::Wrong(wrong)) }
    }

    /// The provider of that name, no alias.
    pub fn by_name(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// What is wrong with the files named after one provider, or with the directory that they would be in.
    pub fn problems_of(&self, name: &str) -> Vec<Problem> {
        let is_its =
            |problem: &&Problem| Path::new(&problem.file).file_stem().is_some_and(|stem| stem == name);
        self.directory_problems.iter().chain(self.problems.iter().filter(is_its)).cloned().collect()
    }

    /// What is wrong with the files that were skipped.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Everything that is wrong with one descriptor file, taken as one of those in `directory`: as an override of the bundled
/// one of the same name where there is one.
pub fn lint_text(directory: Option<&Path>, shown: &str, stem: &str, text: &str) -> Vec<Problem> {
    static BUNDLED: LazyLock<Registry> = LazyLock::new(Registry::bundled);
    let mut registry = BUNDLED.clone();
    if let Some(directory) = directory {
        registry.add_own(directory, |other| other != stem);
    }
    registry.add(shown, stem, text);
    registry.index_aliases();
    registry.problems.retain(|problem| problem.file == shown);
    registry.problems
}

/// Of a provider's file that has the same name as another, spelled with the other extension. Neither is to be used, so
/// that no order decides who is sent the secrets.
pub fn duplicate_file(path: &Path) -> Option<Problem> {
    let other = path.with_extension(if path.extension()? == "yaml" { "yml" } else { "yaml" });
    fs::symlink_metadata(&other).ok()?;
    let message = format!("the provider has another file, too: remove it or {}", other.display());
    Some(Problem { file: path.display().to_string(), at: None, message })
}

/// A problem of a file that was read before, at a place in it.
fn problem_in(file: &str, place: &str, message: String) -> Problem {
    let source = yaml::read_to_check(Path::new(file)).and_then(|text| Source::new(file, &text));
    match source {
        Ok(source) => source.problem(place, message),
        Err(_) => Problem { file: file.to_owned(), at: None, message },
    }
}

/// The bundled descriptors: name and text.
pub fn bundled_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUNDLED.files().filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

fn read_bundled(name: &str, text: &'static str) -> Result<Provider, Vec<Problem>> {
    let shown = format!("bundled/{name}.yaml");
    let descriptor = yaml::parse(&shown, text, |descriptor| check(name, descriptor))?;
    Ok(Provider { descriptor, layers: vec![Layer::bundled(text)] })
}

fn read(
    shown: &str,
    stem: &str,
    text: &str,
    below: Option<&Provider>,
) -> Result<(Descriptor, Value), Vec<Problem>> {
    let value = match yaml::value(shown, text).map_err(|problem| vec![problem])? {
        // A file that says nothing.
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value,
    };
    let lint = |descriptor: &mut Descriptor| check(stem, descriptor);
    let descriptor = match below {
        None => yaml::parse(shown, text, lint)?,
        // An override need not say all that a block needs: only the whole has to be right.
        Some(below) => {
            let source = Source::new(shown, text).map_err(|problem| vec![problem])?;
            source.read(over(below, &value), lint)?
        }
    };
    Ok((descriptor, value))
}

/// Fills in what may be left out, and says all that does not hold.
fn check(stem: &str, descriptor: &mut Descriptor) -> Vec<Finding> {
    let mut findings = Vec::new();
    if descriptor.name.is_empty() {
        descriptor.name = stem.to_owned();
    }
    if descriptor.name != stem {
        let message = format!("the name {:?} differs from the file's name {stem:?}", descriptor.name);
        findings.push(Finding { path: "name".into(), message });
    }
    complete(descriptor);
    findings.extend(lint::lint(descriptor));
    findings
}

/// A file merged over what it overrides.
fn over(below: &Provider, value: &Value) -> Value {
    let mut merged = Value::Object(serde_json::Map::new());
    for layer in &below.layers {
        merge(&mut merged, &layer.value());
    }
    merge(&mut merged, value);
    merged
}

fn complete(descriptor: &mut Descriptor) {
    if descriptor.modes.is_empty() {
        descriptor.modes = vec![Mode::ApiKey];
    }
    if descriptor.label.is_empty() {
        descriptor.label.clone_from(&descriptor.name);
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
