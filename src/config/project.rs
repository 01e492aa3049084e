//! Projects: named pieces of work. A project that differs from the defaults has a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    EngineSelector, ReferenceError,
    container_values::{check_env_name, check_env_value, check_host, check_network},
    env_value,
    yaml::{self, Findings, Problem},
};
use crate::{credential::Name, fs::read, redact::quote};

/// The content of a project's file, `projects/NAME.yaml` or `.yml`. The file and all its fields are optional.
/// In every field except the names (`credential_set`, `profiles`), `env:NAME` takes the value of the variable
/// NAME.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    /// Credential set of the project. Default: `default`.
    pub credential_set: Option<String>,
    /// Profiles to use where none is named, per provider, first choice first: `claude: [work, default]`.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Image of the project's logins, in place of the provider's.
    pub image: Option<String>,
    /// Container engine: `docker`, `podman` or a URL.
    pub engine: Option<String>,
    /// Additional environment of the project's login containers.
    pub env: BTreeMap<String, String>,
    /// Additional hosts of the project's login containers: `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    /// Network of the project's image builds and login containers.
    pub network: Option<String>,
    /// Absolute path of a PEM file with the certificates that image builds and login containers trust.
    pub ca_bundle: Option<String>,
}

impl Project {
    /// Loads the file of project `name` from `directory`. A project without a file has the defaults.
    ///
    /// # Errors
    /// Every problem of the file, or the reason why it cannot be read.
    pub fn load(directory: &Path, name: &Name) -> Result<Self, Vec<Problem>> {
        let Some(path) = find_file(directory, name).map_err(|problem| vec![problem])? else {
            return Ok(Self::default());
        };
        let text = yaml::read_file(&path).map_err(|problem| vec![problem])?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Parses the text of a project's file.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        yaml::parse(file, text, Self::lint)
    }

    /// The project's credential set.
    pub fn set(&self) -> Name {
        self.credential_set.as_deref().and_then(|s| s.parse().ok()).unwrap_or_else(Name::default_name)
    }

    /// The profiles of a provider in the project's order; empty where the file names none. `is_alias` tells
    /// whether another key of `profiles` is an alias of the provider.
    pub fn order(&self, provider: &str, is_alias: impl Fn(&str) -> bool) -> Vec<Name> {
        let aliased = || self.profiles.iter().find(|(key, _)| is_alias(key)).map(|(_, order)| order);
        let order = self.profiles.get(provider).or_else(aliased);
        order.into_iter().flatten().filter_map(|profile| profile.parse().ok()).collect()
    }

    /// Resolves `env:NAME` in all fields that a login container needs.
    ///
    /// # Errors
    /// [`ReferenceError`] names the field and the variable.
    pub fn with_values(&self) -> Result<Self, ReferenceError> {
        let mut project = self.clone();
        for (field, text, check) in project.texts() {
            if let Some(text) = text {
                *text = env_value::resolve_checked(&format!("{field} of the project"), text, check)?;
            }
        }
        for (name, text) in &mut project.env {
            *text = env_value::resolve(&format!("env.{name} of the project"), text)?;
        }
        for (index, text) in project.extra_hosts.iter_mut().enumerate() {
            let field = format!("extra_hosts[{index}] of the project");
            *text = env_value::resolve_checked(&field, text, check_host)?;
        }
        Ok(project)
    }

    /// The fields with one text, which may be `env:NAME`, and the check of each.
    fn texts(&mut self) -> [(&'static str, &mut Option<String>, Check); 4] {
        [
            ("image", &mut self.image, check_image),
            ("engine", &mut self.engine, yaml::parses::<EngineSelector>),
            ("network", &mut self.network, check_network),
            ("ca_bundle", &mut self.ca_bundle, check_absolute),
        ]
    }

    /// The file with the certificates to trust, with `env:NAME` resolved.
    ///
    /// # Errors
    /// [`ReferenceError`] names the field and the variable.
    pub fn ca_bundle_file(&self) -> Result<Option<PathBuf>, ReferenceError> {
        let resolve =
            |text: &String| env_value::resolve_checked("ca_bundle of the project", text, check_absolute);
        Ok(self.ca_bundle.as_ref().map(resolve).transpose()?.map(PathBuf::from))
    }

    fn lint(&mut self) -> Findings {
        let mut findings = Findings::default();
        findings.check_given("credential_set", &self.credential_set, yaml::parses::<Name>);
        for (name, value) in &self.env {
            let place = format!("env.{name}");
            findings.check(&place, check_env_name(name).and_then(|()| check_env_value(value)));
            findings.check(&place, env_value::check_variable(value));
        }
        for (index, text) in self.extra_hosts.iter().enumerate() {
            findings.check(&format!("extra_hosts[{index}]"), env_value::check(text, check_host));
        }
        for (field, text, check) in self.texts() {
            findings.check_given(field, text, |text| env_value::check(text, check));
        }
        for (provider, order) in &self.profiles {
            lint_order(provider, order, &mut findings);
        }
        findings
    }
}

fn lint_order(provider: &str, order: &[String], findings: &mut Findings) {
    let place = format!("profiles.{provider}");
    findings.check(&place, yaml::parses::<Name>(provider));
    if order.is_empty() {
        findings.add(&place, "names no profile");
    }
    let mut seen = BTreeSet::new();
    for (index, profile) in order.iter().enumerate() {
        let place = format!("{place}[{index}]");
        findings.check(&place, yaml::parses::<Name>(profile));
        if !seen.insert(profile) {
            findings.add(&place, format!("{profile} is named twice"));
        }
    }
}

/// The file of a project, which may have either extension, but not both.
fn find_file(directory: &Path, name: &Name) -> Result<Option<PathBuf>, Problem> {
    let unread = |error: io::Error| Problem::unread(directory, &error);
    for path in ["yml", "yaml"].map(|extension| directory.join(format!("{name}.{extension}"))) {
        match fs::symlink_metadata(&path) {
            Ok(_) => return yaml::duplicate(&path, "project").map_or(Ok(Some(path)), Err),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unread(error)),
        }
    }
    read::check_absent(directory).map(|()| None).map_err(unread)
}

/// A check of a text: the error is the problem, as a lower-case fragment.
type Check = fn(&str) -> Result<(), String>;

/// Checks the form of an image's name. Whether the image exists, only an engine knows.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_image(text: &str) -> Result<(), String> {
    let ok = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if ok { Ok(()) } else { Err(format!("{} is not the name of an image", quote(text))) }
}

fn check_absolute(path: &str) -> Result<(), String> {
    if Path::new(path).is_absolute() { Ok(()) } else { Err(format!("{path:?} is not an absolute path")) }
}

/// The names of the projects that have a file in `directory`, sorted, and the problems of the other files
/// there.
pub fn names(directory: &Path) -> (Vec<Name>, Vec<Problem>) {
    let (files, mut problems) = yaml::files(directory);
    let mut names = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        match stem.parse::<Name>() {
            Ok(name) => names.push(name),
            Err(error) => {
                let message = format!("the file's name is not that of a project: {error}");
                problems.push(Problem::of_file(&file, message));
            }
        }
    }
    names.sort();
    names.dedup();
    (names, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_without_a_file_has_the_defaults() {
        let directory = tempfile::tempdir().expect("directory");
        let project = Project::load(directory.path(), &Name::default_name()).expect("no file");
        assert_eq!(project, Project::default());
        assert_eq!(project.set().as_str(), "default");
    }

    #[test]
    fn project_file_with_several_mistakes_reports_each_with_its_place() {
        let text = "credential_set: a/b\nextra_hosts: [x]\nca_bundle: ca.pem\n";
        let problems = Project::parse("p.yaml", text).expect_err("problems");
        let places: Vec<_> = problems.iter().map(|p| p.at).collect();
        assert_eq!(places, [Some((1, 1)), Some((2, 15)), Some((3, 1))]);
        let typo = Project::parse("p.yaml", "engin: docker\n").expect_err("typo");
        assert!(typo[0].to_string().contains("did you mean \"engine\"?"), "{}", typo[0]);
    }
}
