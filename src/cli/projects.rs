//! `authenticate projects`

use authenticate::{
    config::{Project, project},
    context::Context,
};
use serde_json::json;

use super::{exit, failure::Failure, output};

pub fn run(context: &Context, json: bool) -> anyhow::Result<()> {
    let directory = context.paths().projects();
    let mut projects = Vec::new();
    let (names, mut problems) = project::names(&directory);
    for name in names {
        match Project::load(&directory, &name) {
            Ok(project) => projects.push((name, project)),
            Err(found) => problems.extend(found),
        }
    }
    super::providers::report(&problems);
    let has_problems = !problems.is_empty();
    if json {
        let list: Vec<_> = projects
            .iter()
            .map(|(name, p)| {
                json!({
                    "name": name.as_str(), "credential_set": p.set().as_str(), "image": p.image,
                    "engine": p.engine, "network": p.network, "ca_bundle": p.ca_bundle,
                    "env": p.env.keys().collect::<Vec<_>>(), "extra_hosts": p.extra_hosts,
                    "profiles": p.profiles.iter().map(|(provider, order)| {
                        json!({"provider": provider, "order": order})
                    }).collect::<Vec<_>>(),
                })
            })
            .collect();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        output::json(&json!({"projects": list, "problems": problems}))?;
    } else if projects.is_empty() {
        if !has_problems {
            output::note(&format!(
                "no project files in {}; a project works without one",
                directory.display()
            ));
        }
    } else {
        let dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let rows = projects.into_iter().map(|(name, p)| {
            vec![name.to_string(), p.set().to_string(), dash(p.engine), dash(p.image), dash(p.network)]
        });
        output::table(&["PROJECT", "SET", "ENGINE", "IMAGE", "NETWORK"], rows.collect(), &[])?;
    }
    if has_problems { Err(Failure::reported(exit::USAGE).into()) } else { Ok(()) }
}
