//! The engines that the Docker CLI and Podman are configured to use.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use toml_edit::{DocumentMut, Item};

use crate::{fs::read::read_own, redact};

/// Size limit of a configuration file.
const MAX_SIZE: u64 = 1 << 20;
/// The name of the Docker context that stands for the usual sockets.
pub(super) const DEFAULT: &str = "default";

/// The configuration of the Docker CLI, in `DOCKER_CONFIG` or `~/.docker`.
#[derive(Default)]
pub(super) struct DockerConfig {
    directory: PathBuf,
}

/// The file `config.json`, as far as it is used.
#[derive(Default, Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

/// The file `meta.json` of a context.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

impl DockerConfig {
    pub(super) fn new(home: Option<&Path>) -> Self {
        let own = env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { directory: own.unwrap_or_else(|| home.unwrap_or(Path::new("/nonexistent")).join(".docker")) }
    }

    /// Returns the context that `docker context use` has chosen.
    ///
    /// # Errors
    /// The reason, in words, why the file cannot be used.
    pub(super) fn current(&self) -> Result<Option<String>, String> {
        let config: ConfigFile = json(&self.directory.join("config.json"))?.unwrap_or_default();
        Ok(config.current_context.filter(|name| !name.is_empty() && name != DEFAULT))
    }

    /// Returns the URL of the engine of a context.
    ///
    /// # Errors
    /// The reason, in words, why the context cannot be used.
    pub(super) fn url(&self, context: &str) -> Result<String, String> {
        let id: String = Sha256::digest(context).iter().map(|byte| format!("{byte:02x}")).collect();
        let contexts = self.directory.join("contexts");
        let meta = json::<Meta>(&contexts.join("meta").join(&id).join("meta.json"))?;
        let meta = meta.ok_or("Docker knows no context of that name (see: docker context ls)")?;
        let host = meta.endpoints.get("docker").and_then(|endpoint| endpoint.host.clone());
        let host = host.filter(|host| !host.is_empty()).ok_or("the context has no Docker endpoint")?;
        let certificates = contexts.join("tls").join(&id).join("docker");
        Ok(with_certificates(&host, certificates.is_dir().then_some(certificates)))
    }

    /// Returns the directory of the certificates that are used with `DOCKER_HOST`, if that is reached by TLS.
    pub(super) fn certificates(&self) -> Option<PathBuf> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        set("DOCKER_TLS_VERIFY").or_else(|| set("DOCKER_TLS"))?;
        Some(set("DOCKER_CERT_PATH").map_or_else(|| self.directory.clone(), PathBuf::from))
    }
}

/// Adds the directory of certificates to the URL of an engine that is reached by TCP.
pub(super) fn with_certificates(url: &str, directory: Option<PathBuf>) -> String {
    match directory.filter(|_| url.starts_with("tcp://") || url.starts_with("http")) {
        Some(directory) => format!("{url}#{}", directory.display()),
        None => url.to_owned(),
    }
}

/// The file `podman-connections.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectionsFile {
    connection: Connections,
}

/// The connections of Podman.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Connections {
    default: Option<String>,
    connections: BTreeMap<String, Destination>,
}

#[derive(Deserialize)]
struct Destination {
    #[serde(rename = "URI")]
    uri: String,
    #[serde(rename = "Identity")]
    identity: Option<String>,
}

impl Connections {
    /// Reads them from a `containers.conf`, where versions before 5 keep them.
    fn from_toml(text: &DocumentMut) -> Self {
        let engine = text.get("engine");
        let text = |item: Option<&Item>| item.and_then(Item::as_str).map(str::to_owned);
        let table =
            engine.and_then(|engine| engine.get("service_destinations")).and_then(Item::as_table_like);
        let destination = |(name, item): (&str, &Item)| {
            let destination =
                Destination { uri: text(item.get("uri"))?, identity: text(item.get("identity")) };
            Some((name.to_owned(), destination))
        };
        Self {
            default: text(engine.and_then(|engine| engine.get("active_service"))),
            connections: table.into_iter().flat_map(|table| table.iter()).filter_map(destination).collect(),
        }
    }
}

/// Returns the URL of a connection of Podman, or of its default one.
///
/// # Errors
/// The reason, in words, why the connection cannot be used.
pub(super) fn podman_url(home: Option<&Path>, name: Option<&str>) -> Result<Option<String>, String> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config")));
    let own = |file: &str| config.as_ref().map(|config| config.join("containers").join(file));
    let files = [
        set("PODMAN_CONNECTIONS_CONF").or_else(|| own("podman-connections.json")),
        set("CONTAINERS_CONF").or_else(|| own("containers.conf")),
        Some(PathBuf::from("/etc/containers/containers.conf")),
    ];
    connection(files.into_iter().flatten(), name)
}

fn connection(files: impl Iterator<Item = PathBuf>, name: Option<&str>) -> Result<Option<String>, String> {
    for file in files {
        let found = match file.extension().is_some_and(|extension| extension == "conf") {
            true => toml(&file)?.as_ref().map(Connections::from_toml),
            false => json::<ConnectionsFile>(&file)?.map(|file| file.connection),
        };
        let Connections { default, mut connections } = found.unwrap_or_default();
        if let Some(destination) = name.or(default.as_deref()).and_then(|name| connections.remove(name)) {
            let identity =
                destination.identity.filter(|file| !file.is_empty()).map(|file| format!("#{file}"));
            return Ok(Some(format!("{}{}", destination.uri, identity.unwrap_or_default())));
        }
    }
    match name {
        Some(_) => {
            Err("Podman knows no connection of that name (see: podman system connection list)".to_owned())
        }
        None => Ok(None),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let parse = |text: &[u8]| serde_json::from_slice(text).map_err(|error| error.to_string());
    read(path)?.map(|text| parse(&text)).transpose().map_err(|why| unusable(path, &why))
}

fn toml(path: &Path) -> Result<Option<DocumentMut>, String> {
    let parse = |text: Vec<u8>| {
        let text = String::from_utf8(text).map_err(|error| error.to_string())?;
        text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())
    };
    read(path)?.map(parse).transpose().map_err(|why| unusable(path, &why))
}

/// Reads a file that others cannot have written: a login follows it to an engine.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match read_own(path, MAX_SIZE) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

fn unusable(path: &Path, why: &str) -> String {
    format!("cannot use {}: {}", redact::redact_path(path), redact::escape(why.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_read_from_both_files_of_podman() {
        let directory = tempfile::tempdir().expect("directory");
        let files = ["podman-connections.json", "containers.conf"].map(|name| directory.path().join(name));
        let new = r#"{"Connection": {"Default": "far", "Connections": {
            "far": {"URI": "ssh://core@vm:22/run/podman/podman.sock", "Identity": "/id", "IsMachine": true}}}, "Farm": {}}"#;
        let old = "[engine]\nactive_service = \"old\"\n[engine.service_destinations.old]\nuri = \"unix:///old.sock\"\n";
        std::fs::write(&files[0], new).expect("written");
        std::fs::write(&files[1], old).expect("written");
        let url = |name| connection(files.clone().into_iter(), name);
        assert_eq!(url(None), Ok(Some("ssh://core@vm:22/run/podman/podman.sock#/id".to_owned())));
        assert_eq!(url(Some("old")), Ok(Some("unix:///old.sock".to_owned())));
        assert!(url(Some("typo")).expect_err("unknown").contains("podman system connection list"));
        std::fs::write(&files[0], "{").expect("written");
        assert!(url(None).expect_err("refused").contains("podman-connections.json"));
    }
}
