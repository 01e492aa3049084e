//! Where an engine labels containers for SELinux, it is asked to label the login's directory, too.

use std::sync::mpsc::channel;

use serde_json::Value;

use crate::{
    fake_engine::{Answer, listen, usual},
    harness::{Home, code},
};

/// What an engine says of itself.
#[derive(Clone, Copy)]
struct Says {
    version: &'static str,
    info: &'static str,
    /// In Podman's own API.
    own: Option<&'static str>,
}

const PODMAN_4: &str = r#"{"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}"#;
const PODMAN_5: &str = r#"{"Version": "5.4.2", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine", "Version": "5.4.2"}]}"#;
const DOCKER: &str =
    r#"{"Version": "26.1.5", "ApiVersion": "1.44", "Components": [{"Name": "Engine", "Version": "26.1.5"}]}"#;
const LISTED: &str = r#"{"SecurityOptions": ["name=seccomp,profile=default", "name=selinux"]}"#;
const NOT_LISTED: &str = r#"{"SecurityOptions": ["name=seccomp,profile=default"]}"#;

/// The bind of the login's directory that this engine is asked for.
fn bind(says: Says) -> String {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let (created, asked) = channel();
    listen(&socket, move |asked| match (asked.path.as_str(), says.own) {
        ("/v4.0.0/libpod/info", Some(own)) => Answer::Json(200, own),
        (path, _) if path.contains("/libpod/") => Answer::Json(404, "{}"),
        (path, _) if path.ends_with("/version") => Answer::Json(200, says.version),
        (path, _) if path.ends_with("/info") => Answer::Json(200, says.info),
        (path, _) if path.ends_with("/create") => {
            created.send(serde_json::from_slice::<Value>(&asked.body).expect("JSON")).expect("told");
            Answer::Json(500, r#"{"message": "enough"}"#)
        }
        _ => usual(asked),
    });
    let url = format!("unix://{}", socket.display());
    home.authenticate(["demo", "codex", "--mode", "oauth", "--image", "example", "--engine", &url])
        .exits(code::ENGINE)
        .says("enough");
    let asked = asked.recv().expect("asked for a container");
    asked["HostConfig"]["Binds"][0].as_str().expect("a bind").to_owned()
}

#[test]
fn the_directory_is_relabelled_where_containers_are() {
    let own = |says| {
        if says {
            r#"{"host": {"security": {"selinuxEnabled": true}}}"#
        } else {
            r#"{"host": {"security": {"selinuxEnabled": false}}}"#
        }
    };
    for (says, relabels) in [
        (Says { version: DOCKER, info: LISTED, own: None }, true),
        (Says { version: DOCKER, info: NOT_LISTED, own: None }, false),
        (Says { version: PODMAN_5, info: LISTED, own: None }, true),
        (Says { version: PODMAN_5, info: NOT_LISTED, own: None }, false),
        // Which says it only in its own API.
        (Says { version: PODMAN_4, info: NOT_LISTED, own: Some(own(true)) }, true),
        (Says { version: PODMAN_4, info: NOT_LISTED, own: Some(own(false)) }, false),
        (Says { version: PODMAN_4, info: NOT_LISTED, own: None }, false),
    ] {
        let bind = bind(says);
        assert!(bind.contains(":/home/dev/"), "{bind}");
        assert_eq!(bind.ends_with(":Z"), relabels, "{} {}: {bind}", says.version, says.info);
    }
}
