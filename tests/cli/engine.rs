//! No engine where none is needed, and a clear word where one is.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    os::unix::net::UnixListener,
};

use test_support::{Home, KEY, code};

/// Sockets where engines would be looked for, at which nobody may knock.
struct Doors {
    home: Home,
    docker: UnixListener,
    podman: UnixListener,
}

impl Doors {
    fn new() -> Self {
        let home = Home::new();
        let listen = |name| {
            let listener = UnixListener::bind(home.path().join(name)).expect("bound");
            listener.set_nonblocking(true).expect("set");
            listener
        };
        let (docker, podman) = (listen("docker.sock"), listen("podman.sock"));
        Self { home, docker, podman }
    }

    fn run(&self, arguments: &[&str], input: &str) {
        let url = |name| format!("unix://{}", self.home.path().join(name).display());
        self.home
            .authenticate(arguments)
            .env("DOCKER_HOST", url("docker.sock"))
            .env("CONTAINER_HOST", url("podman.sock"))
            .input(input)
            .exits(code::DONE);
    }

    fn nobody_knocked(&self) {
        for listener in [&self.docker, &self.podman] {
            assert_eq!(listener.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
        }
    }
}

#[test]
fn api_key_login_needs_no_engine() {
    let doors = Doors::new();
    doors.home.write("config/projects/demo.yaml", "engine: docker\nimage: example.com/x\n");
    doors.run(&["demo", "openai", "--api-key-stdin"], KEY);
    doors.run(&["demo", "codex", "--api-key-stdin"], KEY);
    doors.run(&["demo", "codex", "--api-key-stdin", "--engine", "docker"], KEY);
    doors.run(&["token", "demo", "openai"], "");
    doors.run(&["status"], "");
    doors.run(&["providers"], "");
    doors.run(&["projects"], "");
    doors.run(&["logout", "demo", "openai"], "");
    doors.nobody_knocked();
}

#[test]
fn missing_engine_exits_with_code_5() {
    let home = Home::new();
    home.authenticate(["demo", "codex", "--mode", "oauth", "--engine", "unix:///nonexistent"])
        .exits(code::ENGINE)
        .says("no container engine answered; looked at:")
        .says("unix:///nonexistent (asked for): ");
    assert!(home.stored().is_empty());
}

#[test]
fn missing_engine_lists_every_place_tried() {
    let home = Home::new();
    let docker = format!("unix://{}", home.path().join(".docker/run/docker.sock").display());
    // Only places that are in this home, for there may be engines outside of it.
    home.authenticate(["demo", "codex", "--mode", "oauth"])
        .env("DOCKER_HOST", &docker)
        .exits(code::ENGINE)
        .says(&format!("{docker} (DOCKER_HOST): "));
    home.authenticate(["demo", "codex", "--mode", "oauth", "--engine", "podman"])
        .exits(code::ENGINE)
        .says("unix:///nonexistent/podman.sock (CONTAINER_HOST): ");
    home.write("config/projects/shop.yaml", "engine: unix:///nonexistent/project.sock\n");
    home.authenticate(["shop", "codex", "--mode", "oauth"])
        .exits(code::ENGINE)
        .says("unix:///nonexistent/project.sock");
}

#[test]
fn login_without_an_engine_leaves_nothing() {
    let home = Home::new();
    home.authenticate(["demo", "codex", "--mode", "oauth"]).exits(code::ENGINE);
    assert!(home.stored().is_empty());
    assert!(test_support::files_below(&home.data().join("logins")).is_empty());
}

#[test]
fn hint_names_the_source_of_the_engines_address() {
    let home = Home::new();
    let login = ["demo", "codex", "--mode", "oauth"];
    home.authenticate(login).exits(code::ENGINE).says("hint: DOCKER_HOST names the only place");
    let podman = ["demo", "codex", "--mode", "oauth", "--engine", "podman"];
    home.authenticate(podman).exits(code::ENGINE).says("hint: CONTAINER_HOST names the only place");
    let url = ["demo", "codex", "--mode", "oauth", "--engine", "unix:///nonexistent"];
    let outcome = home.authenticate(url).exits(code::ENGINE);
    outcome.says("hint: --engine (or the project's file) names the only place");
    let report = home.authenticate(["doctor"]).exits(code::ENGINE);
    report.prints("fix: DOCKER_HOST names the only place").prints("fix: CONTAINER_HOST names the only place");
}

/// Whoever is in between would have the login, and root there.
#[test]
fn plain_tcp_to_another_machine_is_refused() {
    let home = Home::new();
    for url in ["tcp://192.0.2.1:2375", "http://engine.example:2375"] {
        home.authenticate(["demo", "codex", "--mode", "oauth", "--engine", url])
            .exits(code::ENGINE)
            .says(url)
            .says("plain TCP to another machine")
            .says("ssh://");
    }
}

#[test]
fn server_that_is_no_engine_is_reported() {
    let home = Home::new();
    for (head, answer, says) in [
        ("Api-Version: 1.41\r\n", "hello", "not a container engine: its answer is not JSON"),
        ("", "{}", "not a container engine: its answer has no header Api-Version"),
    ] {
        let listener = UnixListener::bind(home.path().join("other.sock")).expect("bound");
        std::thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let length = answer.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = connection.read(&mut [0; 1024]);
                let _ = connection.write_all(format!("{head}{answer}").as_bytes());
            }
        });
        let url = format!("unix://{}", home.path().join("other.sock").display());
        home.authenticate(["image", "list", "--engine", &url]).exits(code::ENGINE).says(says);
        std::fs::remove_file(home.path().join("other.sock")).expect("removed");
    }
}
