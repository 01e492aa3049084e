//! Where an engine labels containers for SELinux, it is asked to label the login's directory, too.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc::{Sender, channel},
    thread,
};

use serde_json::Value;

use crate::harness::{Home, code};

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

/// Answers until a container is to be made, which it refuses.
fn serve(connection: UnixStream, says: Says, created: &Sender<Value>) {
    let mut reader = BufReader::new(connection.try_clone().expect("a copy"));
    let mut writer = connection;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => head.push(line),
            }
        }
        let length = head
            .iter()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).expect("a body");
        let path =
            head[0].split_whitespace().nth(1).and_then(|path| path.split('?').next()).unwrap_or_default();
        let (status, answer) = match (path, says.own) {
            ("/v4.0.0/libpod/info", Some(own)) => (200, own),
            (path, _) if path.contains("libpod") => (404, "{}"),
            (path, _) if path.ends_with("/version") => (200, says.version),
            (path, _) if path.ends_with("/info") => (200, says.info),
            (path, _) if path.ends_with("/create") => {
                created.send(serde_json::from_slice(&body).expect("JSON")).expect("told");
                (500, r#"{"message": "enough"}"#)
            }
            (path, _) if path.ends_with("/json") => (200, "[]"),
            _ => (404, "{}"),
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(answer.as_bytes())).is_err() {
            return;
        }
    }
}

/// The bind of the login's directory that this engine is asked for.
fn bind(says: Says) -> String {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).expect("bound");
    let (created, asked) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let created = created.clone();
            thread::spawn(move || serve(connection, says, &created));
        }
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
