//! What a vendor's CLI prints.

use rustix::process::Signal;

use crate::harness::{Place, acme, acme::LOG_IN};

const LOGIN: [&str; 4] = ["p", "acme", "--mode", "oauth"];

#[test]
fn a_wrapped_url_is_shown_again_on_one_line() {
    let url = "https://login.example.com/oauth/authorize?response_type=code&client_id=acme&\
               code_challenge=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG&state=0123456789";
    let home = acme(Place::Docker, &[&format!("wrap 72 {url}"), "print ", LOG_IN]);
    let ended = home.run(&[&LOGIN[..], &["--no-browser"]].concat()).expect(0);
    assert!(!ended.out.contains(url), "the CLI itself wrapped it:\n{}", ended.out);
    assert!(ended.err.lines().any(|line| line.trim_end() == format!("log in at: {url}")), "{}", ended.err);
}

#[test]
fn a_url_in_pieces_is_shown_once() {
    let url = "https://login.example.com/device?user_code=ABCD-1234";
    let home = acme(Place::Docker, &[&format!("print-bytes-split 3 Open {url} now"), LOG_IN]);
    let ended = home.run(&LOGIN).expect(0);
    assert_eq!(ended.err.matches(&format!("log in at: {url}")).count(), 1, "{}", ended.err);
}

#[test]
fn a_flood_is_passed_on_in_little_memory() {
    const FLOOD: usize = 50_000_000;
    let home = acme(Place::Docker, &[&format!("flood {FLOOD}"), "print done-flooding", LOG_IN, "stay"]);
    let running = home.start(&LOGIN);
    running.out.wait_for("done-flooding");
    let peak = running.peak_memory();
    let ended = running.end().expect(0);
    assert!(ended.out.len() >= FLOOD, "{} bytes arrived", ended.out.len());
    assert!(peak < 200_000, "{peak} kB");
    home.assert_nothing_left();
}

#[test]
fn nobody_reads_and_the_login_goes_on() {
    let home = acme(Place::Docker, &["print ready", "print more", LOG_IN]);
    let mut command = home.command(&LOGIN);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status =
        command.stdin(std::process::Stdio::null()).stdout(writer).stderr(std::process::Stdio::null());
    assert_eq!(status.status().expect("started").code(), Some(0));
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "AAA\n");
    home.assert_nothing_left();
}

#[test]
fn with_json_stdout_is_the_result_alone() {
    let home = acme(Place::Docker, &["print chatter", LOG_IN]);
    let ended = home.run(&[&LOGIN[..], &["--json"]].concat()).expect(0);
    let result: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON alone");
    assert_eq!((&result["schema"], &result["kind"]), (&1.into(), &"oauth".into()));
    assert!(ended.err.contains("chatter"), "{}", ended.err);
}

#[test]
fn a_stuck_reader_keeps_nobody_from_ending() {
    let home = acme(Place::Docker, &["print ready", "flood 50000000", "stay"]);
    let mut command = home.command(&LOGIN);
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut child = command.stdout(writer).stdin(std::process::Stdio::null()).spawn().expect("started");
    drop(command);
    let mut first = [0; 5];
    std::io::Read::read_exact(&mut reader, &mut first).expect("something");
    crate::harness::running::send(&child, Signal::TERM);
    let status = crate::harness::running::wait(&mut child, crate::harness::running::LIMIT, String::new);
    assert_eq!(status.code(), Some(130));
    home.assert_nothing_left();
}
