//! The real Codex CLI logs in by its browser flow: Chromium follows the redirect to the callback.

use std::{fs, os::unix::fs::PermissionsExt};

use test_support::running::Running;

use crate::{
    codex_device::assert_stored_as_issued,
    harness::{Home, Place, Pod, port},
};

/// The host that Codex logs in at.
pub const ISSUER: &str = "auth.openai.com";
/// Where Codex wants the browser to come back to.
pub const CALLBACK: u16 = 1455;

/// A browser without a display that finds the issuer, and writes the last page that it saw into `page.html`.
pub fn browser(home: &Home, issuer: &Pod) -> String {
    let (path, port) = (home.path().display(), issuer.port);
    let script = format!(
        "#!/bin/sh\nexec timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
         --disable-background-networking --disable-component-update --disable-sync --no-proxy-server \
         --disable-dev-shm-usage --user-data-dir={path}/chromium --ignore-certificate-errors \
         --host-resolver-rules='MAP {ISSUER}:443 127.0.0.1:{port}' --dump-dom \"$1\" \
         >{path}/page.html 2>{path}/chromium.log\n"
    );
    let file = home.file("browser", &script);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
    file.to_str().expect("text").to_owned()
}

fn logs_in(place: Place) {
    let _turn = port::take(CALLBACK);
    let issuer = Pod::https(place, &[ISSUER], &["issuer", "--auto-allow"]);
    let home = Home::on(place);
    home.project("cx", issuer.project());
    home.image("codex");
    let mut command = home.command(&["cx", "codex", "--mode", "oauth", "--timeout", "90s"]);
    let ended = Running::start(command.env("BROWSER", browser(&home, &issuer))).end();
    let log = fs::read_to_string(home.path().join("chromium.log")).unwrap_or_default();
    assert_eq!(ended.status.code(), Some(0), "{}{}\n{log}", ended.out, ended.err);
    assert!(ended.err.contains(&format!("log in at: https://{ISSUER}/oauth/authorize?")), "{}", ended.err);
    assert_stored_as_issued(&home, &issuer.issued());
    home.assert_nothing_left();
    let free = std::net::TcpListener::bind(("127.0.0.1", CALLBACK));
    assert!(free.is_ok(), "nothing listens after the login");
}

#[test]
fn on_docker() {
    logs_in(Place::Docker);
}

#[test]
fn on_docker_as_an_ordinary_user() {
    logs_in(Place::DockerAsUser);
}

#[test]
fn on_rootless_docker_as_an_ordinary_user() {
    logs_in(Place::RootlessDocker);
}

#[test]
fn on_podman() {
    logs_in(Place::Podman);
}

#[test]
fn on_rootless_podman_as_an_ordinary_user() {
    logs_in(Place::PodmanAsUser);
}
