//! A secret that a vendor gives out is nowhere but in the store, and in what `token` prints.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;
use test_support::Running;

use crate::{
    codex_browser::{CALLBACK, ISSUER, browser},
    codex_device::codex,
    harness::{Home, Place, Pod, port},
};

const LABEL: &str = "io.github.authenticate";

/// The arguments and the environment of every other process, as often as they can be read.
fn watch_processes(done: &AtomicBool, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    while !done.load(Ordering::Relaxed) {
        for entry in fs::read_dir("/proc").expect("/proc").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
                // The stand-in itself is told what to put into its secrets.
                if text.contains(canary) && !text.contains("--canary") {
                    found.push(format!("{name}/{file}: {text}"));
                }
            }
        }
        thread::yield_now();
    }
    found
}

/// A login whose secrets all contain the canary.
struct Login {
    home: Home,
    vendor: Pod,
    provider: &'static str,
    command: Command,
}

impl Login {
    fn new(home: Home, vendor: Pod, provider: &'static str) -> Self {
        home.project("p", vendor.project());
        let command = home.command(&["p", provider, "--mode", "oauth"]);
        Self { home, vendor, provider, command }
    }

    fn device(place: Place, canary: &str) -> Self {
        let issuer = Pod::http(place, 9000, &["issuer", "--canary", canary]);
        Self::new(codex(place, &issuer), issuer, "codex")
    }

    fn browser(place: Place, canary: &str) -> Self {
        let issuer = Pod::https(place, &[ISSUER], &["issuer", "--auto-allow", "--canary", canary]);
        let home = Home::on(place);
        home.image("codex");
        let browser = browser(&home, &issuer);
        let mut login = Self::new(home, issuer, "codex");
        login.command.env("BROWSER", browser);
        login
    }

    fn gh(place: Place, canary: &str) -> Self {
        let host = Pod::https(place, &["github.com", "api.github.com"], &["github", "--canary", canary]);
        let home = Home::on(place);
        home.image("gh");
        Self::new(home, host, "gh")
    }
}

fn stays_where_it_belongs(place: Place, login: fn(Place, &str) -> Login) {
    // Another for each run: the tests beside this one look for theirs.
    let canary = &format!("CanaryQ7xW{:016x}", RandomState::new().hash_one(place as u8));
    let Login { home, vendor, provider, mut command } = login(place, canary);
    let done = AtomicBool::new(false);
    let since = crate::harness::output(Command::new("date").args(["+%s"]));
    let (ended, inspected, found) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_processes(&done, canary));
        let running = Running::start(&mut command);
        let mut inspected = String::new();
        let mut approved = false;
        // Whatever the engine says while there is a container. The login is approved once it was seen.
        while running.is_running() {
            approved = approved || inspected.contains(LABEL) && vendor.approve();
            for container in home.containers() {
                for args in [["inspect", &container], ["logs", &container]] {
                    let said = place.client().args(args).output().expect("Docker's client");
                    inspected += &String::from_utf8_lossy(&said.stdout);
                    inspected += &String::from_utf8_lossy(&said.stderr);
                }
            }
        }
        let ended = running.end();
        done.store(true, Ordering::Relaxed);
        (ended.expect(0), inspected, watcher.join().expect("watched"))
    });
    assert_eq!(found, [""; 0], "in a process");
    assert!(!format!("{}{}", ended.out, ended.err).contains(canary), "{}{}", ended.out, ended.err);
    assert!(inspected.contains(LABEL), "the container was never seen");
    assert!(!inspected.contains(canary), "{inspected}");

    let until = crate::harness::output(Command::new("date").args(["+%s"]));
    let events = place.ask(&["events", "--since", &since, "--until", &until]);
    let events: Vec<&str> = events.lines().filter(|line| line.contains(canary)).collect();
    assert!(events.is_empty(), "{events:?}");

    let image = home.image(provider);
    assert!(!place.ask(&["history", "--no-trunc", &image]).contains(canary));
    let mut save = place.client().args(["save", &image]).stdout(Stdio::piped()).spawn().expect("started");
    let layers = save.stdout.take().expect("piped");
    let grep = Command::new("grep").args(["--quiet", "--text", canary]).stdin(layers).status();
    assert_eq!(grep.expect("started").code(), Some(1), "in the image");
    let _ = save.wait();

    home.assert_nothing_left();
    let elsewhere = Command::new("grep")
        .args(["--recursive", "--files-with-matches", "--text"])
        // What the browser keeps of the pages that it saw is its own affair.
        .args(["--exclude-dir=chromium", "--exclude=page.html", canary])
        .arg(home.path())
        .output()
        .expect("grep");
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), "");

    let status = [home.run(&["status"]), home.run(&["status", "--json"]), home.run(&["doctor", "--json"])];
    for said in status {
        assert!(!format!("{}{}", said.out, said.err).contains(canary), "{said:?}");
    }
    let token = home.run(&["token", "p", provider]).expect(0);
    let issued = &vendor.issued()[0];
    let issued = issued.pointer("/tokens/access_token").or(issued.get("access_token"));
    assert_eq!(issued.and_then(Value::as_str), Some(token.out.trim_end()));
    assert!(token.out.contains(canary) && !token.err.contains(canary));
}

#[test]
fn stays_where_it_belongs_on_docker() {
    stays_where_it_belongs(Place::Docker, Login::device);
}

#[test]
fn stays_where_it_belongs_on_rootless_docker() {
    stays_where_it_belongs(Place::RootlessDocker, Login::device);
}

#[test]
fn stays_where_it_belongs_on_podman() {
    stays_where_it_belongs(Place::Podman, Login::device);
}

#[test]
fn stays_where_it_belongs_on_rootless_podman() {
    stays_where_it_belongs(Place::PodmanAsUser, Login::device);
}

#[test]
fn stays_where_it_belongs_when_a_browser_comes_back() {
    let _turn = port::take(CALLBACK);
    stays_where_it_belongs(Place::Docker, Login::browser);
}

#[test]
fn stays_where_it_belongs_with_another_clis_formats() {
    stays_where_it_belongs(Place::Docker, Login::gh);
}
