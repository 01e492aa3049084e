//! Which engines answer, and which images are built.

use authenticate::{
    context::Context,
    engine::{self, EngineSelector, containerfile::Recipe, locate::connect},
};

use super::{Check, Problem, exit};
use crate::cli::hints::Hints;

/// Each product, and the images of the first engine that answers.
pub async fn checks(context: &Context) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut first = None;
    for choice in [EngineSelector::Docker, EngineSelector::Podman] {
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
                let message = error.to_string().replace("\n  ", " ");
                let fix = Hints::new(None)
                    .engine(&error)
                    .unwrap_or_else(|| "correct what names the engine".to_owned());
                Err(Problem { message, fix, code: exit::ENGINE })
            }
        };
        checks.push(Check { what: "engine", result });
    }
    if let Some(engine) = first {
        checks.push(images(context, &engine).await);
    }
    checks
}

async fn images(context: &Context, engine: &engine::Engine) -> Check {
    let registry = context.registry();
    let (mut built, mut unbuilt, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for provider in registry.iter() {
        let Some(image) = &provider.image else { continue };
        match Recipe::find(&provider.name, image, &context.paths().images()) {
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
        let fix = "correct `image` in the descriptor, or the Containerfile".into();
        Err(Problem { message: wrong.join("; "), fix, code: exit::ENGINE })
    };
    Check { what: "images", result }
}
