//! A project's file.

use authenticate::config::Project;

use super::descriptor::explained;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Project::parse("p.yaml", text) {
        Err(problems) => explained(text, &problems),
        Ok(project) => {
            let _ = (project.set(), project.order("codex", |key| key == "openai"));
        }
    }
}
