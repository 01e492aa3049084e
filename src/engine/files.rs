//! The login's directory, where the engine sees it and where it does not.
//!
//! An engine that sees our file system mounts the directory. For any other one the directory is a volume of the container,
//! goes with it, and its files travel as archives.

use std::{io, path::Path};

use bollard::{
    body_full,
    models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions},
    query_parameters::{
        CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, RemoveContainerOptionsBuilder,
        UploadToContainerOptionsBuilder,
    },
};
use futures_util::StreamExt as _;
use hyper::{Request, body::Bytes, header::CONTENT_TYPE};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    ApiFailure, Container, ContainerSpec, Engine, EngineError, LABEL, LOGIN_LABEL, Product, archive,
    error::{api, has_status},
};
use crate::vendor_files::{MAX_SIZE, Refusal};

/// The most of an archive's headers before the content of a file.
const MAX_HEADERS: u64 = 64 << 10;
/// The most of a directory's archive that is read for the names in it.
const MAX_LISTED: u64 = 8 << 20;

impl Engine {
    /// Returns whether the engine finds the login's directory: a container that mounts it can be created. It is never
    /// started, and removed.
    ///
    /// A mount of type `bind` creates no missing directory, unlike one of `Binds`; in Podman, only its own API does so.
    ///
    /// # Errors
    /// [`EngineError::NoImage`], [`EngineError::Api`] when the engine breaks off.
    pub async fn finds_directory(&self, spec: &ContainerSpec) -> Result<bool, EngineError> {
        let Some(source) = spec.host_dir.to_str().filter(|path| !path.contains(':')) else {
            return Ok(false);
        };
        let name = format!("{}-probe", spec.name);
        let created = match self.facts.product {
            Product::Docker => self.create_probe(spec, source, &name).await,
            Product::Podman => self.create_podman_probe(spec, source, &name).await,
        };
        match created {
            Ok(()) => {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                let removed = self.api.remove_container(&name, Some(options)).await;
                removed.map_err(api("remove a container")).map(|()| true)
            }
            Err(error) if error.is_refusal() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn create_probe(&self, spec: &ContainerSpec, source: &str, name: &str) -> Result<(), EngineError> {
        let mount = Mount {
            typ: Some(MountType::BIND),
            source: Some(source.to_owned()),
            target: Some(spec.mount.clone()),
            ..Default::default()
        };
        let body = ContainerCreateBody {
            image: Some(spec.image.clone()),
            entrypoint: Some(vec!["/bin/sh".to_owned()]),
            labels: Some(super::create::labels(spec)),
            host_config: Some(HostConfig { mounts: Some(vec![mount]), ..Default::default() }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let created = self.api.create_container(Some(options), body).await;
        created.map(drop).map_err(|error| self.not_created(spec, error))
    }

    async fn create_podman_probe(
        &self,
        spec: &ContainerSpec,
        source: &str,
        name: &str,
    ) -> Result<(), EngineError> {
        let body = json!({
            "name": name,
            "image": spec.image,
            "command": ["/bin/sh"],
            "labels": {LABEL: "", LOGIN_LABEL: spec.login},
            "netns": {"nsmode": "none"},
            "mounts": [{"type": "bind", "source": source, "destination": spec.mount, "options": ["rbind"]}],
        });
        let action = "create a container";
        let broken = |error: io::Error| EngineError::Api { action, source: ApiFailure::Broken(error.into()) };
        let request =
            Request::post("/v4.0.0/libpod/containers/create").header(CONTENT_TYPE, "application/json");
        let request = request.body(body_full(body.to_string().into()));
        let response = self.connection.send(request.map_err(io::Error::other).map_err(broken)?).await;
        let status = response.map_err(broken)?.status();
        match status.is_success() {
            true => Ok(()),
            false => {
                let source = ApiFailure::Answered { status: status.as_u16(), message: String::new() };
                Err(EngineError::Api { action, source })
            }
        }
    }
}

/// Returns the volume in the place of the login's directory. Nothing of the image is copied into it.
pub(super) fn volume(spec: &ContainerSpec) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        target: Some(spec.mount.clone()),
        volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..Default::default() }),
        ..Default::default()
    }
}

impl Container {
    /// Copies files, given by relative path and content, into a directory of the container.
    ///
    /// # Errors
    /// [`EngineError::Io`], [`EngineError::Api`]
    pub async fn upload<'a>(
        &self,
        directory: &str,
        mode: u32,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), EngineError> {
        let archive = archive::pack("files", mode, files)?;
        let options = UploadToContainerOptionsBuilder::default().path(directory).build();
        let uploaded =
            self.engine.api.upload_to_container(&self.id, Some(options), body_full(archive.into()));
        uploaded.await.map_err(api("copy files into the login's container"))
    }

    /// Returns whether the login's directory is a volume of the container, so that its files have to be copied out.
    pub fn has_own_files(&self) -> bool {
        self.volume.is_some()
    }

    /// Copies a file out of the login's directory, running or not. `None` if there is no such file.
    ///
    /// # Errors
    /// [`EngineError::Io`] for an answer that is no archive, [`EngineError::Api`]
    pub async fn copy_out(
        &self,
        file: &str,
    ) -> Result<Result<Option<Zeroizing<Vec<u8>>>, Refusal>, EngineError> {
        let Some(archive) = self.download(&format!("/{file}"), MAX_SIZE + MAX_HEADERS).await? else {
            // It is the file that is missing, not the container: a file that is gone means that the CLI has signed out.
            let found = self.engine.api.inspect_container(&self.id, None).await;
            return found.map(|_| Ok(None)).map_err(api("look for the login's container"));
        };
        let content = archive::only_file(&archive, MAX_SIZE);
        let content =
            content.map_err(|source| EngineError::Io { action: format!("copy out {file}"), source })?;
        Ok(content.map(Some))
    }

    /// Lists what is in the login's directory, escaped, for messages.
    pub async fn list(&self) -> Vec<String> {
        let archive = self.download("", MAX_LISTED).await.ok().flatten().unwrap_or_default();
        let mount = self.volume.as_deref().unwrap_or_default();
        archive::names(
            &archive,
            Path::new(mount).file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        )
    }

    /// Reads the archive of a path in the login's directory; cuts it off after `limit` bytes.
    async fn download(&self, path: &str, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, EngineError> {
        let path = format!("{}{path}", self.volume.as_deref().unwrap_or_default());
        let options = DownloadFromContainerOptionsBuilder::default().path(&path).build();
        let mut stream = Box::pin(self.engine.api.download_from_container(&self.id, Some(options)));
        let mut archive = Zeroizing::new(Vec::new());
        while let Some(piece) = stream.next().await {
            let piece: Bytes = match piece {
                Err(error) if archive.is_empty() && has_status(&error, &[404]) => return Ok(None),
                piece => piece.map_err(api("copy files out of the login's container"))?,
            };
            archive.extend_from_slice(&piece);
            if archive.len() as u64 > limit {
                break;
            }
        }
        Ok(Some(archive))
    }
}
