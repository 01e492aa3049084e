//! Builds and runs behind a proxy, with a company's own certificates.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;
use test_support::Running;

use crate::harness::{Home, Place, acme::describe, output};

/// Fetches a URL with the one HTTP client that Debian's base image has, which asks `http_proxy`.
const FETCH: &str = "/usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file";

/// A proxy on this machine's loopback that answers everything itself; what it was asked for.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            seen.lock().expect("lock").push(request);
            let body = r#"{"a":"THROUGH-THE-PROXY","r":"RRR"}"#;
            let _ = write!(
                connection,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (url, asked)
}

/// A certificate as a company hands it out.
fn bundle(home: &Home) -> String {
    let path = home.file("company.pem", "");
    output(
        Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-subj", "/CN=Company", "-keyout", "/dev/null", "-out"])
            .arg(&path),
    );
    path.to_str().expect("text").to_owned()
}

fn both_go_through(place: Place) {
    let home = Home::on(place);
    let (proxy, asked) = proxy();
    let bundle = bundle(&home);
    let has_certificate = format!("grep -q '{}' $SSL_CERT_FILE", certificate_line(&bundle));
    home.file(
        "config/images/acme-proxied/Containerfile",
        // The proxy's port makes it another image in every run.
        &format!(
            "FROM docker.io/library/debian:bookworm-slim\nARG SSL_CERT_FILE\n\
             COPY ca.pem /etc/authenticate/ca.pem\nRUN {has_certificate} && {FETCH} http://files.example/{place:?}-build /built # {proxy}\n"
        ),
    );
    let login =
        format!("{has_certificate} && {FETCH} http://login.example/{place:?} ~/.config/acme/auth.json");
    describe(&home, json!({"image": {"name": "acme-proxied"}, "command": ["sh", "-c", login]}));
    home.project("p", json!({"network": "host"}));

    let mut command = home.command(&["p", "acme", "--mode", "oauth", "--ca-bundle", &bundle]);
    Running::start(command.env("http_proxy", &proxy)).end().expect(0);

    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "THROUGH-THE-PROXY\n");
    let asked = asked.lock().expect("lock").clone();
    for wanted in [format!("http://files.example/{place:?}-build"), format!("http://login.example/{place:?}")]
    {
        assert!(asked.iter().any(|request| request.contains(&wanted)), "{wanted}: {asked:?}");
    }
    let tag = home.run(&["image", "build", "acme", "--engine", place.url()]).expect(0).out;
    let history = place.ask(&["inspect", "--type", "image", tag.trim()]);
    assert!(!history.contains(&proxy.replace("http://", "http_proxy=http://")), "{history}");
    place.ask(&["rmi", tag.trim()]);
}

/// A line of the bundle that no other one has.
fn certificate_line(bundle: &str) -> String {
    let pem = std::fs::read_to_string(bundle).expect("PEM");
    pem.lines().nth(2).expect("a line").to_owned()
}

#[test]
fn both_go_through_on_docker() {
    both_go_through(Place::Docker);
}

#[test]
fn both_go_through_on_podman() {
    both_go_through(Place::Podman);
}

#[test]
fn both_go_through_on_rootless_podman() {
    both_go_through(Place::PodmanAsUser);
}
