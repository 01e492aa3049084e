//! Projects: named pieces of work, with a file each where there is something to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ReferenceError, env_value,
    yaml::{self, Finding, Problem},
};
use crate::{
    credential::Name,
    engine::EngineSelector,
    fs::read::check_absent,
    provider::run_args::{check_env_name, check_env_value, check_host, check_network},
    redact::quote,
};

/// What a project's file, `projects/NAME.yaml` or `.yml`, may say. Each field is optional, and so is the file. `env:NAME` stands
/// for what the variable NAME holds, in all fields but the names (`credential_set`, `profiles`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "authenticate project")]
pub struct Project {
    /// The credential set of the project. Default: `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_set: Option<String>,
    /// The profiles to use where none is named, per provider, the first choice first: `claude: [work, default]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, Vec<String>>,
    /// The image that its logins run in, in place of the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The engine: `docker`, `podman` or a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// More environment for its login containers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// More hosts for its login containers: `NAME:ADDRESS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<String>,
    /// The network of its image builds and login containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// A file with the certificates that its image builds and login containers trust (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
}

impl Project {
    /// The file of project `name` in `directory`; a project without a file is one that says nothing.
    pub fn load(directory: &Path, name: &Name) -> Result<Self, Vec<Problem>> {
        let problem =
            |path: &Path, message| vec![Problem { file: path.display().to_string(), at: None, message }];
        let unread = |error: io::Error| vec![Problem::unread(directory, &error)];
        let mut found = Vec::new();
        for path in ["yaml", "yml"].map(|extension| directory.join(format!("{name}.{extension}"))) {
            match fs::symlink_metadata(&path) {
                Ok(_) => found.push(path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unread(error)),
            }
        }
        let Some(path) = found.pop() else {
            return check_absent(directory).map(|()| Self::default()).map_err(unread);
        };
        if let Some(other) = found.pop() {
            let other = other.display();
            return Err(problem(&path, format!("the project has another file, too: remove it or {other}")));
        }
        let text = yaml::read_file(&path).map_err(|problem| vec![problem])?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a project's file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        yaml::parse(file, text, |project: &mut Self| project.lint())
    }

    /// Its credential set.
    pub fn set(&self) -> Name {
        self.credential_set.as_deref().and_then(|s| s.parse().ok()).unwrap_or_else(Name::default_name)
    }

    /// The order of a provider's profiles; none where the file has none. `is_it` tells whether a key that is not the
    /// provider's name is an alias of it.
    pub fn order(&self, provider: &str, is_it: impl Fn(&str) -> bool) -> Vec<Name> {
        let aliased = || self.profiles.iter().find(|(key, _)| is_it(key)).map(|(_, order)| order);
        let order = self.profiles.get(provider).or_else(aliased);
        order.into_iter().flatten().filter_map(|profile| profile.parse().ok()).collect()
    }

    /// With the variables that its login containers need in the place of `env:NAME`.
    ///
    /// # Errors
    /// [`ReferenceError`] names the field and the variable.
    pub fn with_values(&self) -> Result<Self, ReferenceError> {
        let named = |field: &str| format!("{field} of the project");
        let one = |field: &str, text: &Option<String>, check: Check| match text {
            Some(text) => env_value::checked(&named(field), text, check).map(Some),
            None => Ok(None),
        };
        let value = |(name, text): (&String, &String)| {
            Ok((name.clone(), env_value::value(&named(&format!("env.{name}")), text)?))
        };
        let host = |(index, text): (usize, &String)| {
            env_value::checked(&named(&format!("extra_hosts[{index}]")), text, host)
        };
        Ok(Self {
            image: one("image", &self.image, check_image)?,
            engine: one("engine", &self.engine, engine)?,
            network: one("network", &self.network, network)?,
            ca_bundle: one("ca_bundle", &self.ca_bundle, absolute)?,
            env: self.env.iter().map(value).collect::<Result<_, _>>()?,
            extra_hosts: self.extra_hosts.iter().enumerate().map(host).collect::<Result<_, _>>()?,
            ..self.clone()
        })
    }

    /// The file with the certificates to trust, with its variable's value in the place of `env:NAME`.
    ///
    /// # Errors
    /// As [`Project::with_values`].
    pub fn ca_bundle_file(&self) -> Result<Option<PathBuf>, ReferenceError> {
        let of =
            |text: &String| env_value::checked("ca_bundle of the project", text, absolute).map(PathBuf::from);
        self.ca_bundle.as_ref().map(of).transpose()
    }

    fn lint(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut check = |path: String, result: Result<(), String>| {
            findings.extend(result.err().map(|message| Finding { path, message }));
        };
        if let Some(set) = &self.credential_set {
            check("credential_set".into(), set.parse::<Name>().map(drop).map_err(|e| e.to_string()));
        }
        for (name, value) in &self.env {
            check(format!("env.{name}"), check_env_name(name).and_then(|()| check_env_value(value)));
        }
        for (name, value) in &self.env {
            check(format!("env.{name}"), env_value::lint(value, anything));
        }
        for (index, text) in self.extra_hosts.iter().enumerate() {
            check(format!("extra_hosts[{index}]"), env_value::lint(text, host));
        }
        let texts: [(&str, &Option<String>, Check); 4] = [
            ("image", &self.image, check_image),
            ("engine", &self.engine, engine),
            ("network", &self.network, network),
            ("ca_bundle", &self.ca_bundle, absolute),
        ];
        for (field, text, form) in texts {
            if let Some(text) = text {
                check(field.into(), env_value::lint(text, form));
            }
        }
        for (provider, order) in &self.profiles {
            let place = format!("profiles.{provider}");
            check(place.clone(), provider.parse::<Name>().map(drop).map_err(|e| e.to_string()));
            if order.is_empty() {
                check(place.clone(), Err("names no profile".into()));
            }
            let mut seen = BTreeSet::new();
            for (index, profile) in order.iter().enumerate() {
                let place = format!("{place}[{index}]");
                check(place.clone(), profile.parse::<Name>().map(drop).map_err(|e| e.to_string()));
                if !seen.insert(profile) {
                    check(place, Err(format!("{profile} is named twice")));
                }
            }
        }
        findings
    }
}

/// What must hold of a text.
type Check = fn(&str) -> Result<(), String>;

fn anything(_: &str) -> Result<(), String> {
    Ok(())
}

/// What must hold of an image's name; whether there is one of that name only an engine knows.
///
/// # Errors
/// What is wrong with it.
pub fn check_image(text: &str) -> Result<(), String> {
    let ok = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if ok { Ok(()) } else { Err(format!("{} is not the name of an image", quote(text))) }
}

fn engine(text: &str) -> Result<(), String> {
    text.parse::<EngineSelector>().map(drop).map_err(|error| error.to_string())
}

fn network(text: &str) -> Result<(), String> {
    check_network(text).map(drop)
}

fn host(text: &str) -> Result<(), String> {
    check_host(text).map(drop)
}

fn absolute(path: &str) -> Result<(), String> {
    if Path::new(path).is_absolute() { Ok(()) } else { Err(format!("{path:?} is not an absolute path")) }
}

/// The names of the projects that have a file in `directory`, sorted, and what is wrong with the others there.
pub fn names(directory: &Path) -> (Vec<Name>, Vec<Problem>) {
    let (files, mut problems) = yaml::files(directory);
    let mut names = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        match stem.parse::<Name>() {
            Ok(name) => names.push(name),
            Err(error) => {
                let message = format!("its name is not that of a project: {error}");
                problems.push(Problem { file: file.display().to_string(), at: None, message });
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
    fn a_project_needs_no_file() {
        let directory = tempfile::tempdir().expect("directory");
        let project = Project::load(directory.path(), &Name::default_name()).expect("no file");
        assert_eq!(project, Project::default());
        assert_eq!(project.set().as_str(), "default");
    }

    #[test]
    fn mistakes_are_all_said_with_their_places() {
        let text = "credential_set: a/b\nextra_hosts: [x]\nca_bundle: ca.pem\n";
        let problems = Project::parse("p.yaml", text).expect_err("problems");
        let places: Vec<_> = problems.iter().map(|p| p.at).collect();
        assert_eq!(places, [Some((1, 1)), Some((2, 15)), Some((3, 1))]);
        let typo = Project::parse("p.yaml", "engin: docker\n").expect_err("typo");
        assert!(typo[0].to_string().contains("did you mean \"engine\"?"), "{}", typo[0]);
    }
}
