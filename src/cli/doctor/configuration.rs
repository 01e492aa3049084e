//! Checks of the configuration files.

use authenticate::{
    config::{Project, project, yaml},
    context::Context,
    store::{StoreError, check_settings},
};

use crate::cli::failure::Failure;

pub fn providers(context: &Context) -> Result<String, Failure> {
    let registry = context.registry();
    let known = format!("{} known", registry.iter().count());
    let fix = "correct the files; list all problems with: authenticate providers lint";
    result(registry.problems(), known, fix)
}

pub fn projects(context: &Context) -> Result<String, Failure> {
    let (names, mut problems) = project::names(&context.paths().projects());
    problems.extend(
        names.iter().filter_map(|name| Project::load(&context.paths().projects(), name).err()).flatten(),
    );
    let known = format!("{} with a file", names.len());
    result(&problems, known, "correct the files")
}

pub fn settings(context: &Context) -> Result<String, Failure> {
    match check_settings(context.paths()) {
        Ok(()) => Ok("valid".to_owned()),
        Err(StoreError::Settings(problems)) => result(&problems, String::new(), "correct it"),
        Err(error) => Err(Failure::usage(error.to_string()).hint("correct it")),
    }
}

fn result(problems: &[yaml::Problem], right: String, fix: &str) -> Result<String, Failure> {
    if problems.is_empty() {
        return Ok(right);
    }
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(Failure::usage(message).hint(fix))
}
