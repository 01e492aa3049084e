//! Two logins at once, and one that was killed.

use std::process::Command;

use rustix::process::Signal;
use test_support::Running;

use crate::harness::{
    Place, acme,
    acme::{LOG_IN, script},
    output,
};

const LOGIN: [&str; 4] = ["p", "acme", "--mode", "oauth"];

#[test]
fn the_second_is_told_who_the_first_is() {
    let home = acme(Place::Docker, &["print ready", "stay"]);
    let first = home.start(&LOGIN);
    first.out.wait_for("ready");
    let second = home.run(&LOGIN).expect(8);
    assert!(second.err.contains(&format!("process {}", first.pid())), "{}", second.err);
    assert_eq!(home.containers().len(), 1, "the first goes on");
    script(&home, &[LOG_IN]);
    home.run(&["p", "acme:work", "--mode", "oauth"]).expect(0);
    first.signal(Signal::TERM);
    first.end().expect(130);
    home.assert_nothing_left();
}

fn nothing_stays_of_a_killed_one(place: Place) {
    let home = acme(place, &["write auth.json {\"a\":\"HALF\"", "print ready", "stay"]);
    let first = home.start(&LOGIN);
    first.out.wait_for("ready");
    first.signal(Signal::KILL);
    first.end();
    assert_eq!(home.containers().len(), 1, "nobody has cleaned up yet");
    // Whatever is run next; an engine that is slow just then is left to the run after that.
    for _ in 0..5 {
        home.status();
        if home.containers().is_empty() {
            break;
        }
    }
    home.assert_nothing_left();
    home.run(&["token", "p", "acme"]).expect(3);
}

#[test]
fn nothing_stays_of_a_killed_one_on_docker() {
    nothing_stays_of_a_killed_one(Place::Docker);
}

#[test]
fn nothing_stays_of_a_killed_one_on_rootless_docker() {
    nothing_stays_of_a_killed_one(Place::RootlessDocker);
}

#[test]
fn nothing_stays_of_a_killed_one_on_podman() {
    nothing_stays_of_a_killed_one(Place::Podman);
}

#[test]
fn nothing_stays_of_a_killed_one_on_rootless_podman() {
    nothing_stays_of_a_killed_one(Place::PodmanAsUser);
}

/// The copied record names the container, and nobody holds its lock.
#[test]
fn a_copy_of_the_data_directory_ends_no_login() {
    let home = acme(Place::Docker, &["print ready", "stay"]);
    let login = home.start(&LOGIN);
    login.out.wait_for("ready");
    let copy = home.path().join("copy");
    output(Command::new("cp").arg("-a").arg(home.data()).arg(&copy));
    Running::start(home.command(&["doctor"]).env("AUTHENTICATE_DATA_DIR", &copy)).end();
    assert_eq!(
        std::fs::read_dir(copy.join("logins")).expect("read").count(),
        0,
        "no secret stays in the copy"
    );
    assert_eq!(home.containers().len(), 1, "the login lives");
    login.signal(Signal::TERM);
    login.end().expect(130);
    home.assert_nothing_left();
}
