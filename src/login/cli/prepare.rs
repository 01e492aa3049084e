//! Prepares a container login: the engine, the image and what the network needs.

use std::path::Path;

use super::ContainerLogin;
use crate::{
    engine::{Engine, EngineError, EngineSelector, Passthrough, containerfile::Recipe, locate},
    login::LoginError,
    ui::Event,
};

/// A connected engine that has the image.
pub(super) struct Prepared {
    pub(super) engine: Engine,
    pub(super) image: String,
    pub(super) passthrough: Passthrough,
}

/// A connected engine that may have to build the image.
pub(super) struct ConnectedEngine {
    engine: Engine,
    image: Image,
    passthrough: Passthrough,
}

enum Image {
    Built(String),
    ToBuild(Recipe),
}

impl ContainerLogin<'_> {
    /// Connects to the engine and builds the image if needed. Creates nothing that would have to be cleaned up.
    pub(super) async fn prepare(&self) -> Result<Prepared, LoginError> {
        let (selector, passthrough) = (self.engine_selector()?, self.passthrough()?);
        let engine = locate::connect(&selector).await?;
        self.build(self.find_image(engine, passthrough).await?).await
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
    pub(super) fn passthrough(&self) -> Result<Passthrough, LoginError> {
        let bundle = self.options.ca_bundle.as_deref().or(self.project.ca_bundle.as_deref().map(Path::new));
        let passthrough = Passthrough::from_env(bundle)?;
        for why in &passthrough.ignored {
            self.context.ui().show(Event::IgnoredConfig(why));
        }
        Ok(passthrough)
    }

    /// Decides which image to use, and asks the engine whether it is built.
    pub(super) async fn find_image(
        &self,
        engine: Engine,
        passthrough: Passthrough,
    ) -> Result<ConnectedEngine, LoginError> {
        let image = self.image(&engine).await?;
        Ok(ConnectedEngine { engine, image, passthrough })
    }

    /// Returns the image of the options or the project, or else the provider's.
    async fn image(&self, engine: &Engine) -> Result<Image, LoginError> {
        if let Some(image) = self.options.image.as_ref().or(self.project.image.as_ref()) {
            return Ok(Image::Built(image.clone()));
        }
        let (name, directory) = (&self.provider.name, self.context.paths().images());
        let Some(image) = &self.provider.image else {
            let directory = directory.display().to_string();
            return Err(EngineError::NoContainerfile { name: name.clone(), directory }.into());
        };
        let recipe = Recipe::find(name, image, &directory)?;
        let tag = recipe.tag();
        Ok(if engine.has_image(&tag).await? { Image::Built(tag) } else { Image::ToBuild(recipe) })
    }

    /// Builds the image if needed.
    pub(super) async fn build(&self, connected: ConnectedEngine) -> Result<Prepared, LoginError> {
        let ConnectedEngine { engine, image, passthrough } = connected;
        let recipe = match image {
            Image::Built(image) => return Ok(Prepared { engine, image, passthrough }),
            Image::ToBuild(recipe) => recipe,
        };
        self.context.ui().show(Event::BuildStarted { image: &recipe.tag() });
        let network = self.project.network.as_deref().filter(|network| !network.starts_with("container:"));
        let built = engine
            .build(&recipe, &passthrough, network, |line| self.context.ui().show(Event::BuildLine(line)))
            .await;
        self.context.ui().show(Event::BuildDone);
        Ok(Prepared { engine, image: built?, passthrough })
    }
}
