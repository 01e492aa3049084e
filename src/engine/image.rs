//! Images: there already, built on first need, listed and pruned.

use std::collections::HashMap;

use bollard::query_parameters::{BuildImageOptions, ListImagesOptionsBuilder, RemoveImageOptionsBuilder};
use futures_util::StreamExt as _;

use super::{
    ApiFailure, Engine, EngineError, IMAGE_LABEL, LABEL, Passthrough, api, containerfile::Recipe,
    is_not_found, passthrough::CA_PATH,
};

/// Lines kept of a build's output for its error.
const TAIL_LINES: usize = 15;

/// An image that we built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its tags.
    pub tags: Vec<String>,
    /// Its id.
    pub id: String,
    /// Name of its directory.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Bytes.
    pub size: i64,
}

impl Engine {
    /// Whether the engine has the image.
    pub async fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        match self.api.inspect_image(image).await {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(api("looking for the image")(error)),
        }
    }

    /// Builds the image of a recipe; `line` is given the build's output line by line.
    ///
    /// # Errors
    /// [`EngineError::Build`] with the end of the output.
    pub async fn build(
        &self,
        recipe: &Recipe,
        passthrough: &Passthrough,
        network: Option<&str>,
        mut line: impl FnMut(&str),
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
                (IMAGE_LABEL.to_owned(), recipe.name.clone()),
            ])),
            networkmode: network.map(str::to_owned),
            ..Default::default()
        };
        let context = context(recipe, passthrough)
            .map_err(|source| EngineError::Io { what: "the build context".into(), source })?;
        let body = bollard::body_full(context.into());
        let mut output = Box::pin(self.api.build_image(options, None, Some(body)));
        let mut tail: Vec<String> = Vec::new();
        let failed = |message: String, tail: &[String]| EngineError::Build {
            image: tag.clone(),
            message: message.trim().to_owned(),
            tail: tail.join("\n"),
        };
        while let Some(event) = output.next().await {
            let event = event.map_err(|error| failed(ApiFailure::from(error).to_string(), &tail))?;
            if let Some(text) = event.stream {
                for text in text.lines().map(str::trim_end).filter(|text| !text.is_empty()) {
                    line(text);
                    tail.push(text.to_owned());
                }
                tail.drain(..tail.len().saturating_sub(TAIL_LINES));
            }
            if let Some(detail) = event.error_detail {
                return Err(failed(detail.message.unwrap_or_default(), &tail));
            }
        }
        if self.has_image(&tag).await? {
            Ok(tag)
        } else {
            Err(failed("the build left no image".into(), &tail))
        }
    }

    /// The images that we built, newest first.
    pub async fn built_images(&self) -> Result<Vec<Built>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![IMAGE_LABEL.to_owned()])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = self.api.list_images(Some(options)).await.map_err(api("listing images"))?;
        let mut built: Vec<Built> = images
            .into_iter()
            .map(|image| Built {
                tags: image.repo_tags,
                id: image.id,
                name: image.labels.get(IMAGE_LABEL).cloned().unwrap_or_default(),
                created: image.created,
                size: image.size,
            })
            .collect();
        built.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(built)
    }

    /// Removes an image by id; `false` when it is in use.
    pub async fn remove_image(&self, id: &str) -> Result<bool, EngineError> {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        match self.api.remove_image(id, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(true),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(false),
            Err(error) => Err(api("removing an image")(error)),
        }
    }
}

fn build_args(recipe: &Recipe, passthrough: &Passthrough) -> HashMap<String, String> {
    let version = recipe.version.iter().map(|version| ("VERSION".to_owned(), version.clone()));
    passthrough.env().into_iter().chain(version).collect()
}

/// The build context: the Containerfile, and beside it always a `ca.pem`, empty where there is nothing to trust.
fn context(recipe: &Recipe, passthrough: &Passthrough) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, name, bytes)
    };
    add("Containerfile", &recipe.containerfile)?;
    add("ca.pem", passthrough.ca_bundle.as_deref().unwrap_or_default())?;
    tar.into_inner()
}

/// An archive that puts the bundle at [`CA_PATH`] when it is unpacked at `/`.
pub(super) fn ca_archive(bundle: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bundle.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, CA_PATH.trim_start_matches('/'), bundle)?;
    tar.into_inner()
}
