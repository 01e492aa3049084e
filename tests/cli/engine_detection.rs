//! Requests that depend on the facts of an engine, so that a login can write its directory and its files are ours.

use std::sync::mpsc::channel;

use serde_json::Value;
use test_support::{
    Home, code,
    fake_engine::{Answer, listen, usual},
};

/// The facts that an engine reports.
#[derive(Clone, Copy)]
struct Says {
    head: &'static str,
    info: &'static str,
    /// In Podman's own API.
    own: Option<&'static str>,
}

const PODMAN: &str = "Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n";
const DOCKER: &str = "Api-Version: 1.44\r\n";
const PODMAN_4: &str = r#"{"ServerVersion": "4.3.1", "SecurityOptions": ["name=seccomp,profile=default"]}"#;
const NOT_LISTED: &str =
    r#"{"ServerVersion": "26.1.5", "SecurityOptions": ["name=seccomp,profile=default"]}"#;
const LISTED: &str =
    r#"{"ServerVersion": "26.1.5", "SecurityOptions": ["name=seccomp,profile=default", "name=selinux"]}"#;

/// The container that this engine is asked for.
fn asked(says: Says) -> Value {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let (created, asked) = channel();
    listen(&socket, move |asked| match (asked.path.as_str(), says.own) {
        ("/v4.0.0/libpod/info", Some(own)) => Answer::Json(200, own),
        (path, _) if path.contains("/libpod/") => Answer::Json(404, "{}"),
        (path, _) if path.ends_with("/_ping") => Answer::Head(says.head),
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
        .says("cannot create the login's container: the engine answered with status 500: enough");
    asked.recv().expect("asked for a container")
}

/// The bind of the login's directory in it.
fn bind(says: Says) -> String {
    asked(says)["HostConfig"]["Binds"][0].as_str().expect("a bind").to_owned()
}

#[test]
fn remapping_engine_is_asked_to_keep_user_ids() {
    const REMAPS: &str = r#"{"ServerVersion": "20.10.24", "SecurityOptions": ["name=seccomp,profile=default", "name=userns"]}"#;
    const ROOTLESS: &str = r#"{"ServerVersion": "4.3.1", "Rootless": true, "SecurityOptions": []}"#;
    for (says, mode) in [
        (Says { head: DOCKER, info: REMAPS, own: None }, Value::from("host")),
        (Says { head: DOCKER, info: NOT_LISTED, own: None }, Value::Null),
        (Says { head: PODMAN, info: ROOTLESS, own: None }, Value::from("keep-id")),
        (Says { head: PODMAN, info: NOT_LISTED, own: None }, Value::Null),
    ] {
        assert_eq!(asked(says)["HostConfig"]["UsernsMode"], mode, "{} {}", says.head, says.info);
    }
}

#[test]
fn directory_is_relabelled_if_containers_are_labelled() {
    let own = |says| {
        if says {
            r#"{"host": {"security": {"selinuxEnabled": true}}}"#
        } else {
            r#"{"host": {"security": {"selinuxEnabled": false}}}"#
        }
    };
    for (says, relabels) in [
        (Says { head: DOCKER, info: LISTED, own: None }, true),
        (Says { head: DOCKER, info: NOT_LISTED, own: None }, false),
        (Says { head: PODMAN, info: LISTED, own: None }, true),
        (Says { head: PODMAN, info: NOT_LISTED, own: None }, false),
        // Which says it only in its own API.
        (Says { head: PODMAN, info: PODMAN_4, own: Some(own(true)) }, true),
        (Says { head: PODMAN, info: PODMAN_4, own: Some(own(false)) }, false),
        (Says { head: PODMAN, info: PODMAN_4, own: None }, false),
    ] {
        let bind = bind(says);
        assert!(bind.contains(":/home/dev/"), "{bind}");
        assert_eq!(bind.ends_with(",Z"), relabels, "{} {}: {bind}", says.head, says.info);
    }
}
