//! The listener that the browser comes back to, and who else may come there.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};
use test_support::{
    Home, Login, Stub, code, describe, json_reply,
    login::{A_MOMENT, Page, ask, connect, is_closed, query, redirect, visit, visit_as},
    record, tokens,
};

const TOKENS: &str = r#"{"access_token": "the-token", "refresh_token": "r", "expires_in": 60}"#;

/// A vendor that exchanges any code.
fn vendor() -> Stub {
    Stub::that(|_| json_reply(200, TOKENS))
}

fn acme(home: &Home, vendor: &Stub, more: &str) {
    let (start, token) = (vendor.url("/authorize"), vendor.url("/token"));
    describe(
        home,
        "acme",
        &format!(
            "modes: [browser]\nbrowser: {{authorization_url: '{start}', token_url: '{token}', client_id: demo{more}}}"
        ),
    );
}

fn start(home: &Home, more: &[&str]) -> Login {
    let arguments = ["demo", "acme"].iter().chain(more);
    Login::start(home.authenticate(arguments).env("BROWSER", "/bin/true"))
}

fn back(url: &url::Url, pairs: &[(&str, &str)]) -> url::Url {
    let mut back = redirect(url, "redirect_uri");
    back.query_pairs_mut().extend_pairs(pairs);
    back
}

#[track_caller]
fn is_bare(page: &Page) {
    assert!(page.head.contains("referrer-policy: no-referrer"), "{}", page.head);
    assert!(page.head.contains("cache-control: no-store"), "{}", page.head);
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    assert!(!page.body.contains("http") && !page.body.contains("<script"), "{}", page.body);
}

#[test]
fn browser_login_uses_pkce() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, ", scopes: [a, b], parameters: {prompt: consent}");
    let mut login = start(&home, &[]);
    let url = login.url();
    assert!(url.as_str().starts_with(&vendor.url("/authorize?")), "{url}");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "demo"),
        ("scope", "a b"),
        ("prompt", "consent"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query(&url, name).as_deref(), Some(value), "{name}");
    }
    let state = query(&url, "state").expect("a state");
    assert!(state.len() >= 43, "{state}");
    let page = visit(&back(&url, &[("code", "the-code"), ("state", &state)]));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("You are logged in"), "{}", page.body);
    is_bare(&page);
    login.exits(code::DONE);
    let asked = vendor.asked_at("/token");
    let [token] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(token.parameter("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(token.parameter("code").as_deref(), Some("the-code"));
    assert_eq!(token.parameter("redirect_uri"), query(&url, "redirect_uri"));
    let verifier = token.parameter("code_verifier").expect("a verifier");
    assert_eq!(query(&url, "code_challenge"), Some(challenge(&verifier)));
    assert_eq!(tokens(&home, "acme").0.access_token.expose(), "the-token");
    is_closed(&redirect(&url, "redirect_uri"));
}

/// RFC 7636 section 4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[test]
fn other_requests_are_refused_and_the_login_continues() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let good = back(&url, &[("code", "the-code"), ("state", &state)]);
    let with_path = |path: &str| {
        let mut other = good.clone();
        other.set_path(path);
        other
    };
    for path in ["/", "/favicon.ico", "/callback/", "/callback/x", "/CALLBACK", "/other"] {
        assert_eq!(visit(&with_path(path)).status, 404, "{path}");
    }
    let other_state = format!("{}x", &state[1..]);
    for pairs in [
        &[("code", "the-code")][..],
        &[("code", "the-code"), ("state", "")],
        &[("code", "the-code"), ("state", &other_state)],
        &[("code", "the-code"), ("state", &state[..20])],
        &[("state", &state)],
        &[("error", "access_denied")],
        &[("error", "access_denied"), ("state", &other_state)],
        &[("error_description", "<script>CANARY</script>"), ("state", "<b>CANARY</b>")],
    ] {
        let page = visit(&back(&url, pairs));
        assert_eq!(page.status, 400, "{pairs:?}");
        assert!(!page.body.contains("CANARY"), "{}", page.body);
        is_bare(&page);
    }
    let port = good.port().expect("a port");
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", ""] {
        assert_eq!(visit_as(&good, host, "GET").status, 404, "{host}");
    }
    let (target, own) = (&good[url::Position::BeforePath..], format!("127.0.0.1:{port}"));
    for head in [
        format!("GET http://evil.example{target} HTTP/1.1\r\nHost: {own}"),
        format!("GET http://evil.example:{port}{target} HTTP/1.1\r\nHost: evil.example:{port}"),
        format!("GET http://{own}{target} HTTP/1.1\r\nHost: evil.example:{port}"),
        format!("GET {target} HTTP/1.1\r\nHost: {own}\r\nHost: evil.example:{port}"),
        format!("GET {target} HTTP/1.1\r\nHost: {own}\r\nHost: {own}"),
        format!("GET {target} HTTP/1.1\r\nAccept: */*"),
        format!("GET {target} HTTP/1.0"),
    ] {
        assert!((400..500).contains(&ask(connect(&good), &head).status), "{head}");
    }
    for method in ["POST", "HEAD", "OPTIONS"] {
        assert_eq!(visit_as(&good, &format!("127.0.0.1:{port}"), method).status, 404, "{method}");
    }
    assert!(vendor.asked().is_empty());
    assert_eq!(visit_as(&good, &format!("localhost:{port}"), "GET").status, 200);
    login.exits(code::DONE);
}

#[test]
fn silent_or_endless_connections_do_not_block_the_login() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let good = back(&url, &[("code", "the-code"), ("state", &state)]);
    let mut silent: Vec<_> = (0..20).map(|_| connect(&good)).collect();
    for connection in &mut silent {
        connection.write_all(b"GET /callback").expect("sent");
    }
    let mut flood = connect(&good);
    let _ = flood.write_all(format!("GET /callback?{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20)).as_bytes());
    let mut answer = String::new();
    let _ = flood.read_to_string(&mut answer);
    assert!(!answer.contains("200"), "{answer}");
    assert_eq!(visit(&good).status, 200);
    login.exits(code::DONE);
}

#[test]
fn redirect_server_listens_only_on_loopback() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let port = redirect(&login.url(), "redirect_uri").port().expect("a port");
    let listening = std::fs::read_to_string("/proc/net/tcp").expect("readable");
    let suffix = format!(":{port:04X}");
    let ours: Vec<_> = listening
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|address| address.ends_with(&suffix))
        .collect();
    assert_eq!(ours, [format!("0100007F{suffix}")]);
    login.signal(Signal::TERM);
    login.exits(code::INTERRUPTED);
}

#[test]
fn refusal_ends_the_login() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let pairs = [("error", "access_denied"), ("error_description", "not you\r\n\x1b[31m"), ("state", &state)];
    let page = visit(&back(&url, &pairs));
    assert!(page.body.contains("The login has failed") && !page.body.contains("not you"), "{}", page.body);
    is_bare(&page);
    let ended = login.exits(code::LOGIN_FAILED);
    assert!(ended.said.contains("the login failed: refused: access_denied: not you [31m"), "{}", ended.said);
    assert!(!ended.said.contains('\x1b'));
    assert!(vendor.asked().is_empty());
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn page_reports_no_success_if_the_code_is_refused() {
    let home = Home::new();
    let vendor = Stub::that(|_| json_reply(400, r#"{"error": "invalid_grant"}"#));
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let page = visit(&back(&url, &[("code", "the-code"), ("state", &state)]));
    assert!(page.body.contains("The login has failed"), "{}", page.body);
    login.exits(code::LOGIN_FAILED);
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn answer_of_another_server_is_refused() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, ", issuer: 'https://id.example'");
    let mut login = start(&home, &["--timeout", "20s"]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let answer =
        |issuer| visit(&back(&url, &[("code", "the-code"), ("state", &state), ("iss", issuer)])).status;
    assert_eq!(answer("https://evil.example"), 400);
    assert_eq!(answer("https://id.example"), 200);
    login.exits(code::DONE);
}

#[test]
fn redirect_has_the_descriptors_host_port_and_path() {
    let (home, vendor) = (Home::new(), vendor());
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    acme(
        &home,
        &vendor,
        &format!(", redirect_host: localhost, redirect_port: {port}, redirect_path: /auth/done"),
    );
    let mut login = start(&home, &[]);
    let url = login.url();
    assert_eq!(query(&url, "redirect_uri"), Some(format!("http://localhost:{port}/auth/done")));
    let state = query(&url, "state").expect("a state");
    assert_eq!(visit(&back(&url, &[("code", "the-code"), ("state", &state)])).status, 200);
    login.exits(code::DONE);
}

#[test]
fn taken_port_is_reported() {
    let (home, vendor) = (Home::new(), vendor());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    acme(&home, &vendor, &format!(", redirect_port: {port}"));
    let run = home.authenticate(["demo", "acme"]).env("BROWSER", "/bin/true");
    run.exits(code::BUSY).says(&format!("port {port} of 127.0.0.1 is taken"));
}

/// Where the redirect is to `localhost`, a port of these.
fn at_localhost(home: &Home, vendor: &Stub, port: u16) {
    acme(home, vendor, &format!(", redirect_host: localhost, redirect_port: {port}"));
}

#[test]
fn redirect_to_localhost_is_received_at_both_addresses() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, ", redirect_host: localhost");
    let mut login = start(&home, &[]);
    let url = login.url();
    let good = back(&url, &[("code", "the-code"), ("state", &query(&url, "state").expect("a state"))]);
    let port = good.port().expect("a port");
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let taken = TcpListener::bind((address, port)).expect_err("held");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse, "{address}");
    }
    let head = format!("GET {} HTTP/1.1\r\nHost: localhost:{port}", &good[url::Position::BeforePath..]);
    let connection = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).expect("connected");
    assert_eq!(ask(connection, &head).status, 200);
    login.exits(code::DONE);
}

#[test]
fn program_at_the_other_address_of_localhost_is_named() {
    let (home, vendor) = (Home::new(), vendor());
    let taken = TcpListener::bind("[::1]:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    at_localhost(&home, &vendor, port);
    let run = home.authenticate(["demo", "acme"]).env("BROWSER", "/bin/true");
    let holder = format!("(process {})", std::process::id());
    run.exits(code::BUSY).says(&format!("port {port} of [::1] is taken by ")).says(&holder);
    assert!(vendor.asked().is_empty());
    // The browser does not ask there for an address.
    acme(&home, &vendor, &format!(", redirect_port: {port}"));
    let mut login = start(&home, &[]);
    let url = login.url();
    let good = back(&url, &[("code", "the-code"), ("state", &query(&url, "state").expect("a state"))]);
    assert_eq!(visit(&good).status, 200);
    login.exits(code::DONE);
}

#[test]
fn page_waits_until_the_tokens_are_stored() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    for is_stored in [true, false] {
        let mut login = start(&home, &[]);
        let url = login.url();
        let database = rusqlite::Connection::open(home.database()).expect("opened");
        database.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let good = back(&url, &[("code", "the-code"), ("state", &query(&url, "state").expect("a state"))]);
        let page = std::thread::spawn(move || visit(&good));
        login.says("cannot store the credential yet, trying again");
        assert!(!page.is_finished(), "the page does not know yet");
        match is_stored {
            true => database.execute_batch("ROLLBACK").expect("unlocked"),
            false => login.signal(Signal::INT),
        }
        let page = page.join().expect("visited");
        assert_eq!(page.body.contains("You are logged in"), is_stored, "{}", page.body);
        assert_eq!(page.body.contains("The login has failed"), !is_stored, "{}", page.body);
        login.exits(if is_stored { code::DONE } else { code::INTERRUPTED });
    }
}

#[test]
fn login_ends_at_the_time_limit() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &["--timeout", "1s"]);
    let url = login.url();
    let ended = login.exits(code::LOGIN_FAILED);
    assert!(ended.said.contains("the login took longer than 1 s"), "{}", ended.said);
    is_closed(&redirect(&url, "redirect_uri"));
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    let (home, vendor) = (Home::new(), vendor());
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    login.signal(Signal::INT);
    login.exits(code::INTERRUPTED);
    is_closed(&redirect(&url, "redirect_uri"));
    assert_eq!(std::fs::read_dir(home.data().join("logins")).expect("logins").count(), 0);
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn repeated_redirect_shows_the_same_page_and_sends_the_code_once() {
    let home = Home::new();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let vendor = Stub::that(move |_| {
        let _ = held.lock().unwrap().recv();
        json_reply(200, TOKENS)
    });
    acme(&home, &vendor, "");
    let mut login = start(&home, &[]);
    let url = login.url();
    let state = query(&url, "state").expect("a state");
    let good = back(&url, &[("code", "the-code"), ("state", &state)]);
    let visits: Vec<_> = (0..2)
        .map(|_| {
            let good = good.clone();
            std::thread::spawn(move || visit(&good))
        })
        .collect();
    test_support::eventually("the code is exchanged", || !vendor.asked().is_empty());
    std::thread::sleep(A_MOMENT);
    release.send(()).expect("held");
    for visit in visits {
        assert!(visit.join().expect("visited").body.contains("You are logged in"));
    }
    login.exits(code::DONE);
    assert_eq!(vendor.asked().len(), 1);
}
