//! `authenticate doctor`

use std::path::Path;

use authenticate::{
    engine::{self, Choice, containerfile::Recipe, locate::connect},
    exit,
    paths::Paths,
    provider::Registry,
    store::{Store, StoreError},
};
use serde_json::json;

use super::{
    failure::{Reported, chain},
    output,
};

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
struct Check {
    what: &'static str,
    result: Result<String, Problem>,
}

struct Problem {
    message: String,
    fix: Option<String>,
    code: u8,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let mut checks = vec![providers(paths), store(paths)];
    checks.extend(super::runtime()?.block_on(engines(paths)));
    // One usable engine is enough.
    let usable = checks.iter().any(|check| check.what == "engine" && check.result.is_ok());
    let failed = |check: &&Check| check.result.is_err() && !(usable && check.what == "engine");
    let code = checks.iter().find(failed).and_then(|check| check.result.as_ref().err()).map(|p| p.code);
    if args.json {
        let list: Vec<_> = checks
            .iter()
            .map(|check| match &check.result {
                Ok(detail) => json!({"check": check.what, "ok": true, "detail": detail, "fix": null}),
                Err(p) => json!({"check": check.what, "ok": false, "detail": p.message, "fix": p.fix}),
            })
            .collect();
        output::json(&json!({"schema": 1, "ok": code.is_none(), "checks": list}))?;
    } else {
        for check in &checks {
            match &check.result {
                Ok(detail) => output::text(&format!("ok       {}: {}", check.what, output::safe(detail)))?,
                Err(problem) => {
                    output::text(&format!("problem  {}: {}", check.what, output::safe(&problem.message)))?;
                    if let Some(fix) = &problem.fix {
                        output::text(&format!("         fix: {}", output::safe(fix)))?;
                    }
                }
            }
        }
    }
    match code {
        None => Ok(()),
        Some(code) => Err(Reported(code).into()),
    }
}

fn providers(paths: &Paths) -> Check {
    let registry = Registry::load(Some(&paths.providers()));
    let result = match registry.problems() {
        [] => Ok(format!("{} known", registry.iter().count())),
        problems => Err(Problem {
            message: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            fix: Some("correct the files; `authenticate providers lint` says all that is wrong".into()),
            code: exit::USAGE,
        }),
    };
    Check { what: "providers", result }
}

fn store(paths: &Paths) -> Check {
    let problem = |message: String, fix: Option<String>| Problem { message, fix, code: exit::STORE };
    let result = match Store::open_existing(paths) {
        Ok(None) => Ok("none yet; the first login makes it".to_owned()),
        Ok(Some(store)) => match store.check() {
            Ok(found) if found.is_empty() => {
                Ok(store.path().map(|path| path.display().to_string()).unwrap_or_default())
            }
            Ok(found) => Err(problem(found.join("; "), Some("restore a backup, or log in again".into()))),
            // Nothing is wrong with it; what is sealed was not looked at.
            Err(StoreError::PassphraseNeeded { path }) => Ok(locked(&path)),
            Err(error) => Err(problem(chain(&error.into()), None)),
        },
        Err(error) => Err(problem(chain(&error.into()), None)),
    };
    Check { what: "store", result }
}

fn locked(path: &Path) -> String {
    format!(
        "{}, locked with a passphrase: what is sealed was not looked at; `authenticate store unlock` unlocks it",
        path.display()
    )
}

/// Each product, and the images of the first engine that answers.
async fn engines(paths: &Paths) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut first = None;
    for choice in [Choice::Docker, Choice::Podman] {
        let result = match connect(&choice).await {
            Ok(engine) => {
                let facts = engine.facts();
                let mode = if facts.rootless { "rootless" } else { "rootful" };
                let limits = if facts.limits { "" } else { "; it cannot limit memory and processes" };
                let detail =
                    format!("{} {} {mode} at {}{limits}", facts.product, facts.version, engine.url());
                first.get_or_insert(engine);
                Ok(detail)
            }
            Err(error) => {
                let error = authenticate::Error::from(error);
                let message = error.to_string().replace("\n  ", " ");
                Err(Problem { message, fix: error.hint(), code: exit::ENGINE })
            }
        };
        checks.push(Check { what: "engine", result });
    }
    if let Some(engine) = first {
        checks.push(images(paths, &engine).await);
    }
    checks
}

async fn images(paths: &Paths, engine: &engine::Engine) -> Check {
    let registry = Registry::load(Some(&paths.providers()));
    let (mut built, mut unbuilt, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for provider in registry.iter() {
        let Some(image) = &provider.image else { continue };
        match Recipe::find(&image.name, image.version.as_deref(), &paths.images()) {
            Ok(recipe) => match engine.has_image(&recipe.tag()).await {
                Ok(true) => built.push(provider.name.clone()),
                Ok(false) => unbuilt.push(provider.name.clone()),
                Err(error) => wrong.push(error.to_string()),
            },
            Err(error) => wrong.push(format!("{}: {error}", provider.name)),
        }
    }
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let result = if wrong.is_empty() {
        Ok(format!("built: {}; built on first need: {}", list(&built), list(&unbuilt)))
    } else {
        let fix = Some("correct `image` in the descriptor, or add the Containerfile".into());
        Err(Problem { message: wrong.join("; "), fix, code: exit::ENGINE })
    };
    Check { what: "images", result }
}
