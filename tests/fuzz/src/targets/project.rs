//! A project's file.

use authenticate::config::Project;

use super::descriptor::explained;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Project::parse("p.yaml", text) {
        Err(problems) => explained(text, &problems),
        Ok(project) => {
            let json = serde_json::to_string(&project).expect("JSON");
            assert_eq!(Project::parse("p.json", &json).as_ref(), Ok(&project), "{json}");
            let _ = (project.set(), project.order("codex", |key| key == "openai"));
        }
    }
}
