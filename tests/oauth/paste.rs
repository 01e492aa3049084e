//! The browser is on another machine: what it ends at is pasted.

use test_support::{
    Home, Login, Stub, code, describe, json_reply,
    login::{query, redirect},
    pty::Session,
    record, tokens,
};

fn acme(home: &Home, more: &str) -> Stub {
    let vendor = Stub::that(|_| json_reply(200, r#"{"access_token": "the-token"}"#));
    let (start, token) = (vendor.url("/authorize"), vendor.url("/token"));
    describe(
        home,
        "acme",
        &format!(
            "modes: [browser]\nbrowser: {{authorization_url: '{start}', token_url: '{token}', client_id: demo{more}}}"
        ),
    );
    vendor
}

fn start(home: &Home) -> Login {
    Login::start(home.authenticate(["demo", "acme", "--no-browser"]))
}

#[test]
fn every_form_of_an_answer_is_read_from_standard_input() {
    type Form = fn(&str, &str) -> String;
    let forms: [Form; 5] = [
        |redirect, state| format!("{redirect}?code=the-code&state={state}"),
        |_, state| format!("?code=the-code&state={state}"),
        |_, state| format!("state={state}&code=the-code"),
        |_, state| format!("the-code#{state}"),
        |_, _| "the-code".to_owned(),
    ];
    for form in forms {
        let home = Home::new();
        let vendor = acme(&home, "");
        let mut login = start(&home);
        let url = login.url();
        let state = query(&url, "state").expect("a state");
        let text = form(redirect(&url, "redirect_uri").as_str(), &state);
        login.types(&text);
        login.exits(code::DONE);
        assert_eq!(vendor.asked()[0].parameter("code").as_deref(), Some("the-code"), "{text}");
        assert_eq!(tokens(&home, "acme").0.access_token.expose(), "the-token");
    }
}

#[test]
fn wrong_paste_is_reported_and_can_be_repeated() {
    let home = Home::new();
    let vendor = acme(&home, "");
    let mut login = start(&home);
    let url = login.url();
    login.types("");
    login.types("http://127.0.0.1:1/callback?code=CANARY&state=x");
    login.says("that is not the address that this login comes back to; paste it again");
    login.types("the-code#CANARY");
    login.says("it belongs to another login; paste it again");
    login.types("two words");
    login.says("that is not a code; paste it again");
    login.types(&format!("the-code#{}", query(&url, "state").expect("a state")));
    let ended = login.exits(code::DONE);
    assert!(!ended.said.contains("CANARY"), "{}", ended.said);
    assert_eq!(vendor.asked().len(), 1);
}

#[test]
fn pasted_refusal_ends_the_login() {
    let home = Home::new();
    let vendor = acme(&home, "");
    let mut login = start(&home);
    let url = login.url();
    login.types(&format!("?error=access_denied&state={}", query(&url, "state").expect("a state")));
    assert!(login.exits(code::LOGIN_FAILED).said.contains("refused: access_denied"));
    assert!(vendor.asked().is_empty());
}

#[test]
fn no_browser_and_no_terminal_names_the_flag_to_use() {
    let home = Home::new();
    let vendor = acme(&home, "");
    home.authenticate(["demo", "acme"])
        .exits(code::USAGE)
        .says("use --no-browser and write the address that the browser ends at to standard input")
        .does_not_say("--mode device");
    assert!(vendor.asked().is_empty());
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn answer_can_be_typed_at_a_terminal() {
    let home = Home::new();
    let _vendor = acme(&home, "");
    let mut session = Session::start(&home, ["demo", "acme"], &[]);
    session.shows("paste that address, or the code on the page, here and press Enter");
    // A backspace, and the marks of a paste.
    session.types("the-codX\x7f\x1b[200~e\x1b[201~\r");
    assert!(session.exits(code::DONE).contains("the-codX\x08 \x08e"));
    assert_eq!(tokens(&home, "acme").0.access_token.expose(), "the-token");
}

#[test]
fn answer_of_any_length_can_be_pasted_at_a_terminal() {
    let home = Home::new();
    let _vendor = acme(&home, "");
    let mut session = Session::start(&home, ["demo", "acme"], &[]);
    session.shows("paste that address, or the code on the page, here and press Enter");
    // Without the right state; the last bytes were read, too.
    let long = format!("http://localhost:1/callback?code={}&state=X", "x".repeat(6000));
    session.types(&format!("{long}\rthe-code\r"));
    let shown = session.exits(code::DONE);
    assert!(shown.contains(&long), "{shown}");
    assert_eq!(tokens(&home, "acme").0.access_token.expose(), "the-token");
}

#[test]
fn taken_port_does_not_prevent_a_paste() {
    let home = Home::new();
    for address in ["127.0.0.1", "[::1]"] {
        let taken = std::net::TcpListener::bind(format!("{address}:0")).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let _vendor = acme(&home, &format!(", redirect_host: localhost, redirect_port: {port}"));
        let mut login = start(&home);
        login.says(&format!("port {port} of {address} is taken"));
        login.types("the-code");
        login.exits(code::DONE);
    }
}

#[test]
fn taken_port_is_busy_once_nothing_more_can_be_pasted() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let vendor = acme(&home, &format!(", redirect_port: {port}"));
    for input in ["", "two words\n"] {
        let run = home.authenticate(["demo", "acme", "--no-browser"]).input(input);
        run.exits(code::BUSY).says(&format!("port {port} of 127.0.0.1 is taken by "));
    }
    assert!(vendor.asked().is_empty());
}

#[test]
fn short_code_counts_with_its_state_only() {
    let home = Home::new();
    let vendor = acme(&home, "");
    let mut login = start(&home);
    let url = login.url();
    login.types("abc");
    login.says("that is not a code; paste it again");
    login.types(&format!("abc#{}", query(&url, "state").expect("a state")));
    login.exits(code::DONE);
    assert_eq!(vendor.asked()[0].parameter("code").as_deref(), Some("abc"));
}
