//! Whether the files of the configuration are right.

use authenticate::{
    config::{Paths, Project, project, yaml},
    exit,
    provider::Registry,
    store::{StoreError, check_settings},
};

use super::{Check, Problem};

pub fn providers(paths: &Paths) -> Check {
    let registry = Registry::load_all(paths);
    let known = format!("{} known", registry.iter().count());
    let fix = "correct the files; `authenticate providers lint` says all that is wrong";
    Check { what: "providers", result: result(registry.problems(), known, fix) }
}

pub fn projects(paths: &Paths) -> Check {
    let (names, mut problems) = project::names(&paths.projects());
    problems.extend(names.iter().filter_map(|name| Project::load(&paths.projects(), name).err()).flatten());
    let known = format!("{} with a file", names.len());
    Check { what: "projects", result: result(&problems, known, "correct the files") }
}

pub fn settings(paths: &Paths) -> Check {
    let result = match check_settings(paths) {
        Ok(()) => Ok("in order".to_owned()),
        Err(StoreError::Settings(problems)) => result(&problems, String::new(), "correct it"),
        Err(error) => {
            Err(Problem { message: error.to_string(), fix: "correct it".into(), code: exit::USAGE })
        }
    };
    Check { what: "settings", result }
}

fn result(problems: &[yaml::Problem], right: String, fix: &str) -> Result<String, Problem> {
    if problems.is_empty() {
        return Ok(right);
    }
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(Problem { message, fix: fix.to_owned(), code: exit::USAGE })
}
