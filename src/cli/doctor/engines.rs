//! Checks of the container engines and images.

use authenticate::{
    context::Context,
    engine::{self, EngineSelector, containerfile::Recipe, locate::connect},
};

use super::{Check, exit};
use crate::cli::failure::Failure;

/// Checks each engine, and the images of the first that answers.
pub async fn checks(context: &Context) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut first = None;
    for choice in [EngineSelector::Docker, EngineSelector::Podman] {
        let result = match connect(&choice).await {
            Ok(engine) => {
                let facts = engine.facts();
                let mode = if facts.rootless { "rootless" } else { "rootful" };
                let limits = if facts.limits { "" } else { "; without limits on memory and processes" };
                let detail =
                    format!("{} {} {mode} at {}{limits}", facts.product, facts.version, engine.url());
                first.get_or_insert(engine);
                Ok(detail)
            }
            Err(error) => {
                let Failure { message, hint, code } = Failure::of(error.into(), Some(context));
                Err(Failure { message: message.replace("\n  ", " "), hint, code })
            }
        };
        checks.push(("engine", result));
    }
    if let Some(engine) = first {
        // One usable engine is enough.
        for (_, result) in &mut checks {
            if let Err(failure) = result {
                *result = Ok(format!("not used: {}", failure.message));
            }
        }
        checks.push(("images", images(context, &engine).await));
    }
    checks
}

async fn images(context: &Context, engine: &engine::Engine) -> Result<String, Failure> {
    let registry = context.registry();
    let (mut built, mut unbuilt, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for provider in registry.iter() {
        let Some(image) = &provider.image else { continue };
        match Recipe::find(&provider.name, image, &context.paths().images()) {
            Ok(recipe) => match engine.has_image(&recipe.tag()).await {
                Ok(true) => built.push(provider.name.clone()),
                Ok(false) => unbuilt.push(provider.name.clone()),
                Err(error) => problems.push(error.to_string()),
            },
            Err(error) => problems.push(format!("{}: {error}", provider.name)),
        }
    }
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    if problems.is_empty() {
        Ok(format!("built: {}; built when first needed: {}", list(&built), list(&unbuilt)))
    } else {
        let fix = "correct `image` in the descriptor, or the Containerfile";
        Err(Failure::usage(problems.join("; ")).hint(fix).code(exit::ENGINE))
    }
}
