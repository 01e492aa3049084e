//! A vendor's CLI at a real terminal.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;
use test_support::tty::OnTerminal;

use crate::harness::{Home, Place, acme, acme::LOG_IN, programs};

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

/// As in an image without `stty`.
#[test]
fn has_the_size_without_the_images_help() {
    let steps = ["on-signal WINCH size", "size", "print ready", "expect-line yes", LOG_IN];
    let home = acme(Place::Docker, &steps);
    let image = programs::image(home.place);
    let env = json!({"VENDOR_STEPS": steps.join("\n"), "PATH": "/usr/local/bin"});
    home.project("p", json!({"image": image, "network": "none", "env": env}));
    let mut login = OnTerminal::start(&home.command(&LOGIN), 31, 97);
    login.screen.wait_for("31x97");
    login.screen.wait_for("ready");
    login.keys("yes\r");
    login.end().expect(0);
}

#[test]
fn keys_arrive_wherever_the_output_goes() {
    let home = acme(Place::Docker, &["isatty", "size", "print ready", "expect-line yes", LOG_IN]);
    let mut login = OnTerminal::start(&in_shell(&home, r#""$@" | cat"#), 31, 97);
    let said = login.screen.wait_for("ready");
    assert!(said.contains("stdin stdout stderr") && said.contains("31x97"), "{said}");
    assert!(login.is_raw());
    login.keys("yes\r");
    login.end().expect(0);
    home.assert_nothing_left();
}

/// A shell that runs the login as `"$@"`.
fn in_shell(home: &Home, script: &str) -> Command {
    let login = home.command(&LOGIN);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(login.get_program()).args(login.get_args());
    shell.envs(login.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(home.path());
    shell
}

#[test]
fn what_was_typed_is_not_announced() {
    let home = acme(Place::Docker, &["print ready", "read-line", "print You said $LINE", LOG_IN]);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 24, 80);
    login.screen.wait_for("ready");
    login.keys("https://evil.example/login?x=1\r");
    let ended = login.end().expect(0);
    assert!(ended.out.contains("You said https://evil.example/login?x=1"), "{}", ended.out);
    assert!(!ended.out.contains("log in at"), "{}", ended.out);
}

/// The terminal answers after the end of a CLI that asked it something.
#[test]
fn its_modes_are_restored_and_late_answers_do_not_reach_the_shell() {
    let home = acme(Place::Docker, &[r"print-raw \e[?2004h\e[?7l\e[2\;5r\e[6n", LOG_IN]);
    let rest = r#""$@"; s=$(stty -g); stty -icanon min 0 time 0; echo "rest: $(od -An -c)."; stty "$s""#;
    let mut login = OnTerminal::start(&in_shell(&home, rest), 24, 80);
    let said = login.screen.wait_for("\x1b[5n");
    assert!(said.contains("\x1b[?7h\x1b[?2004l\x1b7\x1b[r\x1b8"), "{said:?}");
    login.keys("\x1b[1;1R");
    login.keys("\x1b[0n");
    let ended = login.end().expect(0);
    assert!(ended.out.contains("rest: ."), "{:?}", ended.out);
}

#[test]
fn ctrl_c_that_ends_the_cli_interrupts_the_login() {
    let home = acme(Place::Docker, &["write half.json {}", "print ready", "stay"]);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 24, 80);
    login.screen.wait_for("ready");
    login.keys("\x03");
    let ended = login.end().expect(130);
    assert!(!ended.out.contains("half.json"), "{}", ended.out);
    home.assert_nothing_left();
}

/// `timeout` makes a group of its own, in the background: if it set the terminal's modes, it would be stopped.
#[test]
fn a_login_in_the_background_heeds_its_time_limit_and_signals() {
    for (limits, code) in [(["60", "--timeout", "2s"], 4), (["5", "--timeout", "60s"], 124)] {
        let home = acme(Place::Docker, &["isatty", "print ready", "stay"]);
        let script = format!(r#"timeout {} "$@" {} {}; exit $?"#, limits[0], limits[1], limits[2]);
        let login = OnTerminal::start(&in_shell(&home, &script), 24, 80);
        let said = login.screen.wait_for("ready");
        assert!(said.contains("none") && !login.is_raw(), "{said}");
        login.end().expect(code);
        home.assert_nothing_left();
    }
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
