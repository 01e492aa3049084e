//! Prepares a container login: the engine, the image and what the network needs.

use std::path::PathBuf;

use super::ContainerLogin;
use crate::{
    blocking,
    engine::{Engine, EngineError, EngineSelector, Passthrough, containerfile::Recipe, locate},
    login::LoginError,
    ui::Event,
};

/// A connected engine, and the image to use.
pub(super) struct Prepared {
    pub(super) engine: Engine,
    pub(super) image: String,
    /// The recipe, if the image is not built yet.
    recipe: Option<Recipe>,
    pub(super) passthrough: Passthrough,
}

impl ContainerLogin<'_> {
    /// Connects to the engine and builds the image if needed. Creates nothing that would have to be cleaned up.
    pub(super) async fn prepare(&self) -> Result<Prepared, LoginError> {
        let (selector, passthrough) = (self.engine_selector()?, self.passthrough().await?);
        let prepared = self.connect(&selector, passthrough).await?;
        self.build(&prepared).await?;
        Ok(prepared)
    }

    /// Returns the engine to use: of the options, or else of the project.
    pub(super) fn engine_selector(&self) -> Result<EngineSelector, LoginError> {
        let project_engine =
            || self.project.engine.as_deref().map(str::parse).transpose().map_err(EngineError::from);
        Ok(match &self.options.engine {
            Some(selector) => selector.clone(),
            None => project_engine()?.unwrap_or_default(),
        })
    }

    /// Returns the proxy variables and the CA bundle.
    pub(super) async fn passthrough(&self) -> Result<Passthrough, LoginError> {
        let of_project = || self.project.ca_bundle.as_ref().map(PathBuf::from);
        let bundle = self.options.ca_bundle.clone().or_else(of_project);
        let passthrough = blocking::run(move || Passthrough::from_env(bundle.as_deref())).await?;
        for why in &passthrough.ignored {
            self.context.ui().show(Event::IgnoredConfig(why));
        }
        Ok(passthrough)
    }

    /// Connects to the engine, decides which image to use, and asks whether it is built.
    pub(super) async fn connect(
        &self,
        selector: &EngineSelector,
        passthrough: Passthrough,
    ) -> Result<Prepared, LoginError> {
        let engine = locate::connect(selector).await?;
        if let Some(image) = self.options.image.as_ref().or(self.project.image.as_ref()) {
            return Ok(Prepared { engine, image: image.clone(), recipe: None, passthrough });
        }
        let (name, directory) = (&self.provider.name, self.context.paths().images());
        let Some(image) = &self.provider.image else {
            let directory = directory.display().to_string();
            return Err(EngineError::NoContainerfile { name: name.clone(), directory }.into());
        };
        let (name, image) = (name.clone(), image.clone());
        let recipe = blocking::run(move || Recipe::find(&name, &image, &directory)).await?;
        let image = recipe.tag();
        let recipe = (!engine.has_image(&image).await?).then_some(recipe);
        Ok(Prepared { engine, image, recipe, passthrough })
    }

    /// Builds the image if needed.
    pub(super) async fn build(&self, prepared: &Prepared) -> Result<(), LoginError> {
        let Prepared { engine, image, recipe: Some(recipe), passthrough } = prepared else { return Ok(()) };
        let ui = self.context.ui();
        ui.show(Event::BuildStarted { image });
        let network = self.project.network.as_deref().filter(|network| !network.starts_with("container:"));
        let built = engine.build(recipe, passthrough, network, |line| ui.show(Event::BuildLine(line))).await;
        ui.show(Event::BuildDone);
        built?;
        Ok(())
    }
}
