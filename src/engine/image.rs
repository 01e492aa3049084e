//! Images: looking for one, building, listing and removing.

use std::collections::HashMap;

use bollard::{
    models::BuildInfo,
    query_parameters::{BuildImageOptions, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures_util::StreamExt as _;

use super::{
    ApiFailure, Engine, EngineError, IMAGE_LABEL, LABEL, Passthrough, archive,
    containerfile::{Recipe, is_tag_of},
    error::{api, has_status},
};

/// The number of lines of a build's output that its error repeats.
const TAIL_LINES: usize = 15;
/// Words of the engines' messages, and what a build through the API lacks then.
const LACKS: [(&[&str], &str); 3] = [
    (
        &["unauthorized", "authentication required", "no basic auth", "access denied", "not authorized"],
        "logins to registries are not passed on to builds: pull the base image with the engine's own command first",
    ),
    (
        &["buildkit", "unknown instruction", "unknown flag", "only supports the --"],
        "the image is built without BuildKit: write the Containerfile without what needs it",
    ),
    (
        &["not found in build context", "copier: stat"],
        "a build gets the Containerfile and ca.pem, and no other file beside them",
    ),
];

/// An image that this program built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The tags that this program gave it.
    pub tags: Vec<String>,
    /// The id.
    pub id: String,
    /// The name of the provider that it was built for.
    pub name: String,
    /// The time of the build, in seconds since 1970.
    pub created: i64,
    /// The size in bytes.
    pub size: i64,
}

impl Engine {
    /// Returns whether the engine has the image.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        match self.api.inspect_image(image).await {
            Ok(_) => Ok(true),
            Err(error) if has_status(&error, &[404]) => Ok(false),
            Err(error) => Err(api("look for the image")(error)),
        }
    }

    /// Builds the image of a recipe and returns its tag. Calls `line` with each line of the build's output.
    ///
    /// # Errors
    /// [`EngineError::Build`] with the end of the output, [`EngineError::Io`], [`EngineError::Api`]
    pub async fn build(
        &self,
        recipe: &Recipe,
        passthrough: &Passthrough,
        network: Option<&str>,
        line: impl FnMut(&str),
    ) -> Result<String, EngineError> {
        let tag = recipe.tag();
        let options = BuildImageOptions {
            dockerfile: "Containerfile".into(),
            t: Some(tag.clone()),
            rm: true,
            forcerm: true,
            buildargs: Some(build_args(recipe, passthrough)),
            labels: Some(HashMap::from([
                (LABEL.to_owned(), String::new()),
                (IMAGE_LABEL.to_owned(), recipe.provider.clone()),
            ])),
            networkmode: network.map(str::to_owned),
            ..Default::default()
        };
        let body = bollard::body_full(build_context(recipe, passthrough)?.into());
        let mut output = Box::pin(self.api.build_image(options, None, Some(body)));
        let mut log = BuildLog { image: &tag, line, tail: Vec::new() };
        while let Some(event) = output.next().await {
            log.read(event.map_err(|error| log.error(&ApiFailure::from(error).to_string()))?)?;
        }
        if self.has_image(&tag).await? { Ok(tag) } else { Err(log.error("the build left no image")) }
    }

    /// Lists the images that this program built, newest first: those with a tag that names the content and the provider
    /// of the label. The label alone is inherited by images that others build from ours.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn built_images(&self) -> Result<Vec<Built>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![IMAGE_LABEL.to_owned()])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = self.api.list_images(Some(options)).await.map_err(api("list images"))?;
        let mut built: Vec<Built> = images
            .into_iter()
            .map(|mut image| {
                let name = image.labels.remove(IMAGE_LABEL).unwrap_or_default();
                image.repo_tags.retain(|tag| is_tag_of(&name, tag));
                Built { tags: image.repo_tags, id: image.id, name, created: image.created, size: image.size }
            })
            .filter(|image| !image.tags.is_empty())
            .collect();
        built.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(built)
    }

    /// Removes a tag, and with its last tag the image. Returns `false` if a container or another image uses it; a tag
    /// that is already removed is no error.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn remove_image(&self, tag: &str) -> Result<bool, EngineError> {
        let options = RemoveImageOptionsBuilder::default().build();
        match self.api.remove_image(tag, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(error) if has_status(&error, &[404]) => Ok(true),
            Err(error) if has_status(&error, &[409]) => Ok(false),
            Err(error) => Err(api("remove an image")(error)),
        }
    }
}

/// The output of a running build.
struct BuildLog<'a, L> {
    image: &'a str,
    line: L,
    /// The last lines.
    tail: Vec<String>,
}

impl<L: FnMut(&str)> BuildLog<'_, L> {
    fn read(&mut self, event: BuildInfo) -> Result<(), EngineError> {
        let text = event.stream.unwrap_or_default();
        for text in text.lines().map(str::trim_end).filter(|text| !text.is_empty()) {
            (self.line)(text);
            self.tail.push(text.to_owned());
        }
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_LINES));
        match event.error_detail {
            Some(detail) => Err(self.error(&detail.message.unwrap_or_default())),
            None => Ok(()),
        }
    }

    fn error(&self, message: &str) -> EngineError {
        EngineError::Build {
            image: self.image.to_owned(),
            message: explained(message.trim()),
            tail: self.tail.join("\n"),
        }
    }
}

/// The message of an engine with what the build lacked, if that is known.
fn explained(message: &str) -> String {
    let lower = message.to_lowercase();
    match LACKS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word))) {
        Some((_, lack)) => format!("{message}\n{lack}"),
        None => message.to_owned(),
    }
}

fn build_args(recipe: &Recipe, passthrough: &Passthrough) -> HashMap<String, String> {
    let own = [("PACKAGE", &recipe.package), ("VERSION", &recipe.version)];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    passthrough.env().into_iter().chain(own).collect()
}

/// Packs the Containerfile and a `ca.pem`, which is empty without a CA bundle: a Containerfile can always copy it.
fn build_context(recipe: &Recipe, passthrough: &Passthrough) -> Result<Vec<u8>, EngineError> {
    let ca_bundle = passthrough.ca_bundle.as_deref().unwrap_or_default();
    let files = [("Containerfile", recipe.containerfile.as_slice()), ("ca.pem", ca_bundle)];
    archive::pack("the build context", 0o644, files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_args_hold_package_and_version_where_given() {
        let recipe = Recipe {
            provider: "acme".into(),
            package: Some("@acme/cli".into()),
            version: None,
            containerfile: b"FROM scratch".to_vec(),
        };
        let args = build_args(&recipe, &Passthrough::default());
        assert_eq!(args, HashMap::from([("PACKAGE".to_owned(), "@acme/cli".to_owned())]));
    }

    #[test]
    fn message_of_a_failed_build_says_what_was_lacking() {
        for (message, lack) in [
            ("unauthorized: authentication required", "logins to registries"),
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                "logins to",
            ),
            ("the --mount option requires BuildKit. Refer to ..", "without BuildKit"),
            ("dockerfile parse error line 3: unknown instruction: TRUE", "without BuildKit"),
            (
                "COPY failed: file not found in build context or excluded by .dockerignore: ..",
                "no other file",
            ),
            (
                "building at STEP \"COPY x /\": .. copier: stat: \"/x\": no such file or directory",
                "no other file",
            ),
        ] {
            let said = explained(message);
            assert!(said.starts_with(message) && said.contains(lack), "{said}");
        }
        let other = "The command '/bin/sh -c false' returned a non-zero code: 1";
        assert_eq!(explained(other), other);
    }
}
