//! Output of a vendor's CLI.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use test_support::{Running, tty::OnTerminal};

use crate::harness::{Home, Place, acme, acme::LOG_IN};

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

/// As a program that shares the pipe may have made it.
#[test]
fn a_flood_arrives_whole_through_a_pipe_that_does_not_block() {
    const FLOOD: usize = 3_000_000;
    let home = acme(Place::Docker, &[&format!("flood {FLOOD}"), LOG_IN]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).expect("set");
    let mut command = home.command(&LOGIN);
    let mut child = command.stdin(std::process::Stdio::null()).stdout(writer).spawn().expect("started");
    drop(command);
    let (heard, reading) = test_support::running::Heard::listen(reader);
    let status = test_support::running::wait(&mut child, test_support::LIMIT, String::new);
    reading.join().expect("read to the end");
    assert_eq!(status.code(), Some(0));
    assert_eq!(heard.text().len(), FLOOD);
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
    test_support::running::send(&child, Signal::TERM);
    let status = test_support::running::wait(&mut child, test_support::LIMIT, String::new);
    assert_eq!(status.code(), Some(130));
    home.assert_nothing_left();
}

#[test]
fn one_page_is_opened_and_only_if_its_url_is_certain() {
    let doubtful = "https://login.example.com/oauth/authorize?client_id=acme&state=0123456789abcdefghij";
    let url = "https://login.example.com/device?user_code=ABCD-1234";
    let steps = [
        &format!("print {doubtful}"),
        "print more",
        &format!("print Open {url} now"),
        "print or https://login.example.com/device?user_code=OTHER-12 then",
        "sleep 3000",
        LOG_IN,
    ];
    let home = acme(Place::Docker, &steps);
    let ended = Running::start(&mut with_browser(&home, &[])).end().expect(0);
    assert_eq!(std::fs::read_to_string(home.path().join("opened")).expect("opened"), format!("{url}\n"));
    for url in [doubtful, "https://login.example.com/device?user_code=OTHER-12"] {
        let text = format!(
            "this may be a page to log in at; compare it with the login's output and open it yourself: {url}"
        );
        assert!(ended.err.contains(&text), "{}", ended.err);
    }
}

/// A browser of this machine that writes down what it is given.
fn with_browser(home: &Home, args: &[&str]) -> std::process::Command {
    let opened = home.path().join("opened");
    let script = format!("#!/bin/sh\necho \"$1\" >{0}.new && mv {0}.new {0}\n", opened.display());
    let browser = home.file("browser", &script);
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let mut command = home.command(&[&LOGIN[..], args].concat());
    command.env("BROWSER", browser);
    command
}

#[test]
fn the_browser_is_given_the_url_unless_there_is_to_be_none() {
    let url = "https://login.example.com/device?user_code=ABCD-1234";
    // Stays until the browser has had its time.
    let home = acme(Place::Docker, &[&format!("print Open {url} now"), "sleep 3000", LOG_IN]);
    let opened = home.path().join("opened");
    Running::start(&mut with_browser(&home, &["--no-browser"])).end().expect(0);
    assert!(!opened.exists(), "{:?}", std::fs::read_to_string(&opened));
    Running::start(&mut with_browser(&home, &[])).end().expect(0);
    assert_eq!(std::fs::read_to_string(&opened).expect("opened"), format!("{url}\n"));
}

#[test]
fn the_url_is_a_link_and_a_picture_where_that_is_asked_for() {
    let url = "https://login.example.com/device?user_code=ABCD-1234";
    let home = acme(Place::Docker, &[&format!("print Open {url} now"), LOG_IN]);
    let mut command = home.command(&[&LOGIN[..], &["--no-browser", "--qr"]].concat());
    command.env("FORCE_HYPERLINK", "1");
    let on_terminal = OnTerminal::start(&command, 60, 120).end().expect(0).out;
    let link = format!("log in at: \x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\");
    assert!(on_terminal.contains(&link), "{on_terminal:?}");
    let picture =
        qrcode::QrCode::new(url).expect("a code").render::<qrcode::render::unicode::Dense1x2>().build();
    for line in picture.lines() {
        assert!(on_terminal.contains(line), "{line} is not in {on_terminal}");
    }
    // Elsewhere it is text that can be searched and copied.
    let ended = Running::start(&mut command).end().expect(0);
    assert!(ended.err.contains(&format!("log in at: {url}\r\n")), "{:?}", ended.err);
}
