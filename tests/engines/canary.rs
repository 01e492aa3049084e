//! A secret that a vendor gives out is nowhere but in the store, and in what `token` prints.

use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::{
    codex_device::codex,
    harness::{Place, Pod},
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

fn stays_where_it_belongs(place: Place) {
    // Another for each place: the tests beside this one look for theirs.
    let canary = &format!("CanaryQ7xW{place:?}");
    let issuer = Pod::http(place, 9000, &["issuer", "--canary", canary]);
    let home = codex(place, &issuer);
    let done = AtomicBool::new(false);
    let since = crate::harness::output(Command::new("date").args(["+%s"]));
    let (ended, inspected, found) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_processes(&done, canary));
        let running = home.start(&["cx", "codex", "--mode", "oauth"]);
        let mut inspected = String::new();
        let mut approved = false;
        // Whatever the engine says while there is a container. The login is approved once it was seen.
        while running.is_running() {
            approved = approved || inspected.contains(LABEL) && issuer.approve();
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

    let image = home.image("codex");
    assert!(!place.ask(&["history", "--no-trunc", &image]).contains(canary));
    let mut save = place.client().args(["save", &image]).stdout(Stdio::piped()).spawn().expect("started");
    let layers = save.stdout.take().expect("piped");
    let grep = Command::new("grep").args(["--quiet", "--text", canary]).stdin(layers).status();
    assert_eq!(grep.expect("started").code(), Some(1), "in the image");
    let _ = save.wait();

    home.assert_nothing_left();
    let elsewhere = Command::new("grep")
        .args(["--recursive", "--files-with-matches", "--text", canary])
        .arg(home.path())
        .output()
        .expect("grep");
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), "");

    let status = [home.run(&["status"]), home.run(&["status", "--json"]), home.run(&["doctor", "--json"])];
    for said in status {
        assert!(!format!("{}{}", said.out, said.err).contains(canary), "{said:?}");
    }
    let token = home.run(&["token", "cx", "codex"]).expect(0);
    assert!(issuer.issued()[0].to_string().contains(canary));
    assert_eq!(token.out.trim_end(), issuer.issued()[0]["tokens"]["access_token"]);
    assert!(!token.err.contains(canary));
}

#[test]
fn stays_where_it_belongs_on_docker() {
    stays_where_it_belongs(Place::Docker);
}

#[test]
fn stays_where_it_belongs_on_podman() {
    stays_where_it_belongs(Place::Podman);
}

#[test]
fn stays_where_it_belongs_on_rootless_podman() {
    stays_where_it_belongs(Place::PodmanAsUser);
}
