//! Checks of the configuration files.

use authenticate::{
    config::{Project, project, yaml},
    context::Context,
    store::{StoreError, check_settings},
};

use super::Check;
use crate::cli::failure::Failure;

pub fn providers(context: &Context) -> Check {
    let registry = context.registry();
    let known = format!("{} known", registry.iter().count());
    let fix = "correct the files; list all problems with: authenticate providers lint";
    Check { name: "providers", result: result(registry.problems(), known, fix) }
}

pub fn projects(context: &Context) -> Check {
    let (names, mut problems) = project::names(&context.paths().projects());
    problems.extend(
        names.iter().filter_map(|name| Project::load(&context.paths().projects(), name).err()).flatten(),
    );
    let known = format!("{} with a file", names.len());
    Check { name: "projects", result: result(&problems, known, "correct the files") }
}

pub fn settings(context: &Context) -> Check {
    let result = match check_settings(context.paths()) {
        Ok(()) => Ok("valid".to_owned()),
        Err(StoreError::Settings(problems)) => result(&problems, String::new(), "correct it"),
        Err(error) => Err(Failure::usage(error.to_string()).hint("correct it")),
    };
    Check { name: "settings", result }
}

fn result(problems: &[yaml::Problem], right: String, fix: &str) -> Result<String, Failure> {
    if problems.is_empty() {
        return Ok(right);
    }
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(Failure::usage(message).hint(fix))
}
