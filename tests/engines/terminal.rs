//! A vendor's CLI at a real terminal.

use rustix::process::Signal;
use test_support::tty::OnTerminal;

use crate::harness::{Place, acme, acme::LOG_IN};

const LOGIN: [&str; 4] = ["p", "acme", "--mode", "oauth"];

fn has_the_size_from_the_first_byte_and_after_a_change(place: Place) {
    let steps = ["size", "isatty", "on-signal WINCH size", "print ready", "expect-line yes", LOG_IN];
    let home = acme(place, &steps);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 31, 97);
    let said = login.screen.wait_for("ready");
    let first = said.lines().map(str::trim_end).find(|line| line.contains('x') && line.len() < 8);
    assert_eq!(first, Some("31x97"), "{said}");
    assert!(said.contains("stdin stdout stderr"), "{said}");
    assert!(login.is_raw());
    login.resize(44, 133);
    login.screen.wait_for("44x133");
    login.keys("yes\r");
    login.end().expect(0);
    home.assert_nothing_left();
}

#[test]
fn has_the_size_from_the_first_byte_and_after_a_change_on_docker() {
    has_the_size_from_the_first_byte_and_after_a_change(Place::Docker);
}

#[test]
fn has_the_size_from_the_first_byte_and_after_a_change_on_rootless_docker() {
    has_the_size_from_the_first_byte_and_after_a_change(Place::RootlessDocker);
}

#[test]
fn has_the_size_from_the_first_byte_and_after_a_change_on_podman() {
    has_the_size_from_the_first_byte_and_after_a_change(Place::Podman);
}

#[test]
fn has_the_size_from_the_first_byte_and_after_a_change_on_rootless_podman() {
    has_the_size_from_the_first_byte_and_after_a_change(Place::PodmanAsUser);
}

#[test]
fn ctrl_c_is_the_clis_and_twice_it_is_ours() {
    let home = acme(Place::Docker, &["on-signal INT print first", "print ready", "stay"]);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 24, 80);
    login.screen.wait_for("ready");
    login.keys("\x03");
    login.screen.wait_for("first");
    login.keys("\x03");
    login.end().expect(130);
    home.assert_nothing_left();
}

#[test]
fn it_is_restored_when_a_signal_ends_us() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        let home = acme(Place::Docker, &["print ready", "stay"]);
        let login = OnTerminal::start(&home.command(&LOGIN), 24, 80);
        login.screen.wait_for("ready");
        login.signal(signal);
        login.end().expect(130);
        home.assert_nothing_left();
    }
}

#[test]
fn it_is_restored_from_what_the_cli_made_of_it() {
    let home = acme(Place::Docker, &["raw", "print ready", "exit 1"]);
    let login = OnTerminal::start(&home.command(&LOGIN), 24, 80);
    login.screen.wait_for("ready");
    login.end().expect(4);
    home.assert_nothing_left();
}

#[test]
fn it_is_restored_at_the_time_limit() {
    let home = acme(Place::Docker, &["raw", "print ready", "stay"]);
    let login = OnTerminal::start(&home.command(&[&LOGIN[..], &["--timeout", "2s"]].concat()), 24, 80);
    login.end().expect(4);
    home.assert_nothing_left();
}
