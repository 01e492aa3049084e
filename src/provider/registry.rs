//! The registry: the bundled descriptors with the user's own merged over them.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use include_dir::{Dir, include_dir};

use super::{
    Descriptor, Mode, Provider, UnknownProvider, Unusable,
    layers::{self, Layer},
    lint,
};
use crate::{
    config::{
        Paths,
        suggest::nearest,
        yaml::{self, Findings, Node, Problem},
    },
    redact,
};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/resources/providers");

/// All known providers.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    providers: BTreeMap<String, Provider>,
    /// Aliases, and the names that they stand for.
    aliases: BTreeMap<String, String>,
    problems: Vec<Problem>,
    /// Problems of the user's directory as a whole: any provider's file may be among those that could not be
    /// read.
    directory_problems: Vec<Problem>,
}

impl Registry {
    /// The bundled descriptors alone.
    pub fn bundled() -> Self {
        let mut registry = Self::default();
        registry.add_bundled(|_| true);
        registry.index_aliases();
        registry
    }

    /// Loads the bundled descriptors, those of the configuration directory, and over them those that the
    /// program itself describes with [`Client::provider`](crate::Client::provider). Files with problems are skipped;
    /// [`Registry::problems`] has the reasons.
    pub fn load_all(paths: &Paths) -> Self {
        Self::load(paths, |_| true)
    }

    /// Loads like [`Registry::load_all`], but only as much as is needed to get `name`: its own files, or all
    /// files if it is an alias or unknown.
    pub fn load_one(paths: &Paths, name: &str) -> Self {
        let registry = Self::load(paths, |stem| stem == name);
        if registry.providers.contains_key(name) { registry } else { Self::load_all(paths) }
    }

    fn load(paths: &Paths, wanted: impl Fn(&str) -> bool) -> Self {
        let mut registry = Self::default();
        registry.add_bundled(&wanted);
        registry.add_own(&paths.providers(), &wanted);
        for (name, text) in paths.descriptors().iter().filter(|(name, _)| wanted(name)) {
            registry.add_text(&format!("program/{name}.yaml"), name, text);
        }
        registry.index_aliases();
        registry
    }

    fn add_bundled(&mut self, wanted: impl Fn(&str) -> bool) {
        for (name, text) in bundled_files().filter(|(name, _)| wanted(name)) {
            self.add(&format!("bundled/{name}.yaml"), name, Layer::bundled(text));
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
            if let Some(problem) = yaml::duplicate(&path, "provider") {
                self.problems.push(problem);
                continue;
            }
            match yaml::read_file(&path) {
                Ok(text) => self.add_text(&path.display().to_string(), &stem, &text),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// Adds a file, which problems call `file`, over those that the provider has already.
    fn add(&mut self, file: &str, stem: &str, layer: Layer) {
        let below = self.providers.get(stem).map_or(&[][..], |provider| &provider.layers);
        match read(file, stem, &layer.text, below) {
            Ok(descriptor) => {
                let layers = below.iter().cloned().chain([layer]).collect();
                self.providers.insert(stem.to_owned(), Provider { descriptor, layers });
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// Adds a file that is not bundled. It must also be a right file where its fields are read one by one, which is
    /// stricter: `label: 1e999` is a number that is too large.
    fn add_text(&mut self, file: &str, stem: &str, text: &str) {
        match Node::parse(file, text) {
            Ok(_) => self.add(file, stem, Layer { source: file.to_owned(), text: text.to_owned().into() }),
            Err(problem) => self.problems.push(problem),
        }
    }

    /// Indexes all aliases. A provider's name takes precedence over an alias, and an alias of a bundled
    /// descriptor over one of the user's own.
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
                // The user may give a provider of their own the name of a bundled alias.
                Some(_) if !is_own => continue,
                Some((other, _)) => Some(other),
                None => self.aliases.get(alias),
            };
            match other {
                None => drop(self.aliases.insert(alias.clone(), name.clone())),
                Some(other) => {
                    let message = format!("alias {alias:?} of {name} already belongs to {other}");
                    let layer = self.providers.get(name).and_then(|provider| provider.layers.last());
                    let place = format!("aliases[{index}]");
                    self.problems.extend(layer.map(|layer| layer.node().problem(&place, message)));
                }
            }
        }
    }

    /// The provider with that name or alias.
    ///
    /// # Errors
    /// [`UnknownProvider`] with the nearest known name.
    pub fn get(&self, name: &str) -> Result<&Provider, UnknownProvider> {
        let canonical = self.aliases.get(name).map_or(name, String::as_str);
        self.providers.get(canonical).ok_or_else(|| UnknownProvider {
            name: redact::quote(name),
            nearest: nearest(name, self.providers.keys().chain(self.aliases.keys()).map(String::as_str))
                .map(str::to_owned),
            known: self.providers.keys().cloned().collect(),
        })
    }

    /// The provider with that name or alias, if none of its files has a problem. Without the user's override
    /// a secret might be sent to another place than the user meant.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn usable(&self, name: &str) -> Result<&Provider, Unusable> {
        let found = self.get(name);
        let wrong = self.problems_of(found.as_ref().map_or(name, |provider| &provider.name));
        if wrong.is_empty() { Ok(found?) } else { Err(Unusable::Wrong(wrong)) }
    }

    /// The provider with that name; aliases are not looked up.
    pub fn by_name(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// The problems of the files named after a provider, and of the directory that they would be in.
    pub fn problems_of(&self, name: &str) -> Vec<Problem> {
        let of_provider =
            |problem: &&Problem| Path::new(&problem.file).file_stem().is_some_and(|stem| stem == name);
        self.directory_problems.iter().chain(self.problems.iter().filter(of_provider)).cloned().collect()
    }

    /// The problems of all files that were skipped.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Finds every problem of a descriptor's text as if it were a file in `directory`: as an override if there is
/// a bundled descriptor with the same name.
pub fn lint_text(directory: Option<&Path>, file: &str, stem: &str, text: &str) -> Vec<Problem> {
    static BUNDLED: LazyLock<Registry> = LazyLock::new(Registry::bundled);
    let mut registry = BUNDLED.clone();
    if let Some(directory) = directory {
        registry.add_own(directory, |other| other != stem);
    }
    registry.add_text(file, stem, text);
    registry.index_aliases();
    registry.problems.retain(|problem| problem.file == file);
    registry.problems
}

/// The bundled descriptors: name and text.
pub fn bundled_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUNDLED.files().filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

fn read(file: &str, stem: &str, text: &str, below: &[Layer]) -> Result<Descriptor, Vec<Problem>> {
    let lint = |descriptor: &mut Descriptor| complete_and_lint(stem, descriptor);
    if below.is_empty() {
        return yaml::parse(file, text, lint);
    }
    // An override may leave out fields that a block needs: only the merged descriptor must be complete.
    let mut merged = layers::merge(below);
    merged.merge(Node::parse(file, text).map_err(|problem| vec![problem])?);
    merged.read(lint)
}

/// Fills in fields with a default that depends on others, then lints.
fn complete_and_lint(stem: &str, descriptor: &mut Descriptor) -> Findings {
    if descriptor.name.is_empty() {
        descriptor.name = stem.to_owned();
    }
    if descriptor.modes.is_empty() {
        descriptor.modes = vec![Mode::ApiKey];
    }
    if descriptor.label.is_empty() {
        descriptor.label.clone_from(&descriptor.name);
    }
    let mut findings = lint::lint(descriptor);
    if descriptor.name != stem {
        let message = format!("the name {:?} differs from the file's name {stem:?}", descriptor.name);
        findings.add("name", message);
    }
    findings
}
