//! The browser's way back, when its port is taken on this machine.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    process::Command,
};

use serde_json::json;
use test_support::{chromium::Chromium, login::ask, tty::OnTerminal};

use crate::harness::{
    Home, Place, acme,
    acme::{LOG_IN, describe},
    output,
};

const LOGIN: [&str; 5] = ["p", "acme", "--mode", "oauth", "--no-browser"];
const STATE: &str = "state-of-this-login";

/// A CLI that waits for the browser at `port`, which its descriptor names, and logs in with what comes back.
fn waiting_at(port: u16) -> Home {
    let home = choosing(port);
    describe(&home, json!({"callback_ports": [port]}));
    home
}

/// A CLI that chooses a port, and says it in its URL only.
fn choosing(port: u16) -> Home {
    let url = format!(
        "https://login.example.com/oauth/authorize?client_id=acme&state={STATE}&\
         redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback"
    );
    let steps = [
        &format!("state {STATE}"),
        &format!("bind {port}"),
        &format!("print Open {url} now"),
        &format!("listen {port} callback.json"),
        r#"write auth.json {"a":"$CODE","r":"RRR"}"#,
    ];
    acme(Place::Docker, &steps)
}

/// A port that this process has taken.
fn taken() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

#[test]
fn the_message_names_who_has_it_and_a_pasted_url_is_checked_and_replayed() {
    let (_listener, port) = taken();
    let home = waiting_at(port);
    let mut command = home.command(&LOGIN);
    // With a browser of this machine; it is not started.
    command.env("BROWSER", "/bin/true");
    let mut login = OnTerminal::start(&command, 24, 100);
    let said = login.screen.wait_for("paste that address here");
    assert!(said.contains(&format!("port {port} of 127.0.0.1 is taken by")), "{said}");
    assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
    login.keys(&format!("http://localhost:{port}/callback?code=WRONG&state=another\r"));
    login.screen.wait_for("another login");
    // Longer than a line that a terminal edits, and as a terminal sends it that was told to mark what is pasted.
    let code = "RIGHT".repeat(1500);
    let redirect = format!("http://localhost:{port}/callback?code={code}&state={STATE}");
    login.keys(&format!("\x1b[200~{redirect}\x1b[201~"));
    login.screen.wait_for(&format!("{code}&state={STATE}"));
    login.keys("\r");
    login.end().expect(0);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, format!("{code}\n"));
    home.assert_nothing_left();
}

#[test]
fn a_cli_can_be_typed_to_while_a_redirect_is_awaited() {
    let (_listener, port) = taken();
    let url = format!(
        "https://login.example.com/oauth/authorize?client_id=acme&state={STATE}&\
         redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback"
    );
    let home = acme(Place::Docker, &[&format!("print Open {url} now"), "expect-line 1234-yes", LOG_IN]);
    describe(&home, json!({"callback_ports": [port]}));
    let mut command = home.command(&LOGIN);
    command.env("BROWSER", "/bin/true");
    let mut login = OnTerminal::start(&command, 24, 100);
    login.screen.wait_for("paste that address here");
    login.keys("1234-yes\r");
    login.end().expect(0);
    home.assert_nothing_left();
}

#[test]
fn without_a_terminal_the_login_is_busy() {
    for home_of in [waiting_at, choosing] {
        for address in ["127.0.0.1", "[::1]"] {
            let listener = TcpListener::bind(format!("{address}:0")).expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let home = home_of(port);
            let ended = home.run(&LOGIN).expect(8);
            assert!(ended.err.contains(&format!("port {port} of {address} is taken by")), "{}", ended.err);
            assert!(ended.err.contains(&format!("(process {})", std::process::id())), "{}", ended.err);
            home.assert_nothing_left();
        }
    }
}

#[test]
fn a_chosen_port_that_is_taken_is_named_and_the_redirect_is_pasted() {
    let (_listener, port) = taken();
    let home = choosing(port);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 24, 100);
    let said = login.screen.wait_for("paste that address here");
    assert!(said.contains(&format!("port {port} of 127.0.0.1 is taken by")), "{said}");
    login.keys(&format!("http://localhost:{port}/callback?code=RIGHT&state={STATE}\r"));
    login.end().expect(0);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "RIGHT\n");
    home.assert_nothing_left();
}

#[test]
fn a_redirect_of_a_browser_elsewhere_is_pasted() {
    let (listener, port) = taken();
    drop(listener);
    let home = choosing(port);
    let mut login = OnTerminal::start(&home.command(&LOGIN), 24, 100);
    login.screen.wait_for("if the browser is on another machine");
    login.keys(&format!("http://localhost:{port}/callback?code=RIGHT&state={STATE}\r"));
    login.end().expect(0);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "RIGHT\n");
    home.assert_nothing_left();
}

#[test]
fn a_cli_may_choose_no_port_of_the_system() {
    let home = choosing(81);
    let ended = home.run(&LOGIN).expect(1);
    assert!(ended.err.contains("a login may choose ports from 1024 only"), "{}", ended.err);
    home.assert_nothing_left();
}

/// The browser asks for `localhost` at `::1` first.
#[test]
fn a_real_browser_brings_the_redirect_to_a_cli_that_chose_its_port() {
    let (listener, port) = taken();
    drop(listener);
    let home = choosing(port);
    let browser = Chromium::of(&home);
    let running = home.start(&LOGIN);
    running.err.wait_for("log in at:");
    let redirect = format!("http://localhost:{port}/callback?code=RIGHT&state={STATE}");
    output(Command::new(browser.command()).arg(&redirect));
    assert!(browser.page().contains("login done"), "{}", browser.page());
    running.end().expect(0);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "RIGHT\n");
    home.assert_nothing_left();
}

#[test]
fn a_cli_that_does_not_listen_is_said_to_browser_and_person() {
    let (listener, port) = taken();
    drop(listener);
    let url =
        format!("https://login.example.com/oauth/authorize?redirect_uri=http://localhost:{port}/callback");
    let home = acme(Place::Docker, &[&format!("print Open {url} now"), "stay"]);
    let running = home.start(&LOGIN);
    running.err.wait_for("log in at:");
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let connection = TcpStream::connect((address, port)).expect("connected");
        let page = ask(connection, "GET /callback?code=CANARY HTTP/1.1\r\nHost: localhost");
        assert_eq!(page.status, 502);
        assert!(page.body.contains("The login could not be reached") && !page.body.contains("CANARY"));
    }
    let said = "the browser did not reach the login: cannot connect to port";
    running.err.wait_for(&format!("{said} {port} in the login's container: nothing listens there"));
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end().expect(130);
    assert_eq!(ended.err.matches(said).count(), 1, "{}", ended.err);
    home.assert_nothing_left();
}

#[test]
fn without_a_terminal_the_headless_command_is_taken_if_there_is_one() {
    let (_listener, port) = taken();
    let home = waiting_at(port);
    let headless = ["sh", "-c", r#"echo '{"a":"HEADLESS","r":"R"}' >~/.config/acme/auth.json"#];
    describe(&home, json!({"callback_ports": [port], "headless_command": headless}));
    let mut command = home.command(&LOGIN[..4]);
    let ended = test_support::Running::start(command.env("BROWSER", "/bin/true")).end().expect(0);
    assert!(ended.err.contains(&format!("port {port} of 127.0.0.1 is taken")), "{}", ended.err);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "HEADLESS\n");
}

#[test]
fn a_redirect_to_this_machines_loopback_reaches_the_cli() {
    let (listener, port) = taken();
    drop(listener);
    let home = waiting_at(port);
    let running = home.start(&LOGIN);
    running.err.wait_for("log in at:");
    // Not at the machine's other addresses: this one is local, too, and reaches what listens on all of them.
    assert!(
        TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).is_err(),
        "it listens on more than 127.0.0.1"
    );
    let redirect = format!("http://127.0.0.1:{port}/callback?code=RIGHT&state={STATE}");
    let page = crate::harness::output(std::process::Command::new("curl").args([
        "--silent",
        "--fail",
        "--noproxy",
        "*",
        &redirect,
    ]));
    assert!(page.contains("login done"), "{page}");
    running.end().expect(0);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "RIGHT\n");
    home.assert_nothing_left();
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "nothing listens after the login");
}

/// Where ports below 1024 are root's.
#[test]
fn a_port_that_the_system_keeps_from_us_is_not_said_to_be_taken() {
    let home = acme(Place::PodmanAsUser, &["stay"]);
    describe(&home, json!({"callback_ports": [81]}));
    let ended = home.run(&LOGIN).expect(1);
    assert!(ended.err.contains("port 81 of 127.0.0.1 cannot be used (Permission denied"), "{}", ended.err);
    home.assert_nothing_left();
}
