//! `authenticate image`

use std::path::PathBuf;

use authenticate::{
    ConfigError,
    context::Context,
    engine::{self, Engine, EngineError, EngineSelector, Passthrough, containerfile::Recipe},
    ui::Event,
};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;

use super::{failure::Failure, output};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Build the image of a provider's login, unless it exists
    Build {
        /// The provider, by its name or an alias
        provider: String,
        #[command(flatten)]
        engine: EngineArgs,
        /// Use this engine network for the build [default: the engine's]
        #[arg(long)]
        network: Option<String>,
        /// Trust the certificates in this PEM file during the build
        #[arg(long, value_name = "FILE")]
        ca_bundle: Option<PathBuf>,
    },
    /// List the images that this program built
    List {
        #[command(flatten)]
        engine: EngineArgs,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove the images that no provider uses
    Prune {
        #[command(flatten)]
        engine: EngineArgs,
        /// Also remove the images that a provider uses
        #[arg(long)]
        all: bool,
    },
}

#[derive(clap::Args)]
pub struct EngineArgs {
    /// Use this engine: docker, podman or a URL [default: the first that answers]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

impl EngineArgs {
    async fn connect(&self) -> Result<Engine, EngineError> {
        let choice = self.engine.as_deref().map(str::parse).transpose()?.unwrap_or(EngineSelector::Any);
        engine::locate::connect(&choice).await
    }
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    super::finish(async {
        match args.verb {
            Verb::Build { provider, engine, network, ca_bundle } => {
                let passthrough = Passthrough::from_env(ca_bundle.as_deref())?;
                passthrough.ignored.iter().for_each(|warning| output::warn(warning));
                build(context, &provider, &engine, network.as_deref(), &passthrough).await
            }
            Verb::List { engine, json } => list(context, &engine, json).await,
            Verb::Prune { engine, all } => prune(context, &engine, all).await,
        }
    })?
}

async fn build(
    context: &Context,
    provider: &str,
    engine: &EngineArgs,
    network: Option<&str>,
    passthrough: &Passthrough,
) -> anyhow::Result<()> {
    let registry = context.registry();
    let provider = registry.usable(provider).map_err(ConfigError::from)?;
    let Some(image) = &provider.image else {
        return Err(
            Failure::usage(format!("{} has no container login, and so no image", provider.name)).into()
        );
    };
    let recipe = Recipe::find(&provider.name, image, &context.paths().images())?;
    let engine = engine.connect().await?;
    let tag = recipe.tag();
    if !engine.has_image(&tag).await? {
        let ui = context.ui();
        ui.show(Event::BuildStarted { image: &tag });
        let built = engine.build(&recipe, passthrough, network, |line| ui.show(Event::BuildLine(line))).await;
        ui.show(Event::BuildDone);
        built?;
    }
    Ok(output::text(&tag)?)
}

/// The tags that providers use, and the problems that may hide others.
fn current(context: &Context) -> (Vec<String>, Vec<String>) {
    let registry = context.registry();
    let mut problems: Vec<String> = registry.problems().iter().map(ToString::to_string).collect();
    let mut tags = Vec::new();
    for provider in registry.iter() {
        let Some(image) = &provider.image else { continue };
        match Recipe::find(&provider.name, image, &context.paths().images()) {
            Ok(recipe) => tags.push(recipe.tag()),
            // The image is not one of ours.
            Err(EngineError::NoContainerfile { .. }) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    (tags, problems)
}

async fn list(context: &Context, engine: &EngineArgs, json: bool) -> anyhow::Result<()> {
    let engine = engine.connect().await?;
    let (current, problems) = current(context);
    problems.iter().for_each(|problem| output::warn(problem));
    let images = engine.built_images().await?;
    let is_current = |tags: &[String]| tags.iter().any(|tag| current.contains(tag));
    if json {
        let list: Vec<_> = images
            .iter()
            .map(|i| {
                let created_at = Timestamp::from_second(i.created).ok().map(|at| at.to_string());
                json!({
                    "name": i.name, "tags": i.tags, "id": i.id, "created_at": created_at, "bytes": i.size,
                    "current": is_current(&i.tags),
                })
            })
            .collect();
        return Ok(output::json(&json!({"engine": engine.url(), "images": list}))?);
    }
    let rows = images.iter().map(|image| {
        let used = if is_current(&image.tags) { "yes" } else { "no" };
        let tag = image.tags.first().unwrap_or(&image.id).clone();
        vec![tag, format!("{} MB", image.size / 1_000_000), used.to_owned()]
    });
    Ok(output::table(&["IMAGE", "SIZE", "IN USE"], rows.collect(), &[])?)
}

async fn prune(context: &Context, engine: &EngineArgs, all: bool) -> anyhow::Result<()> {
    let (current, problems) = current(context);
    if !all && !problems.is_empty() {
        return Err(Failure::usage(format!("cannot tell which images are in use: {}", problems.join("; ")))
            .hint("correct the files, or remove all images with --all".to_owned())
            .into());
    }
    let engine = engine.connect().await?;
    for image in engine.built_images().await? {
        if !all && image.tags.iter().any(|tag| current.contains(tag)) {
            continue;
        }
        for tag in &image.tags {
            if engine.remove_image(tag).await? {
                output::note(&format!("removed {tag}"));
            } else {
                output::warn(&format!("{tag} is in use by a container or another image and was not removed"));
            }
        }
    }
    Ok(())
}
