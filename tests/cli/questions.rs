//! Questions for secrets at a terminal: what is typed is never shown, and there is a way out.

use rustix::process::Signal;
use test_support::{
    Home, KEY, code,
    one_key::{PASSPHRASE, prints_the_key, store, token, with_key},
    pty::Session,
};

/// Ctrl-S and Ctrl-Q: the terminal shows nothing in between.
const HOLD: &str = "\x13";
const GO_ON: &str = "\x11";
/// Ctrl-D
const END: &str = "\x04";

fn locked() -> Home {
    let home = with_key();
    store(&home, ["rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input(PASSPHRASE)
        .exits(code::DONE);
    home
}

#[test]
fn end_of_input_cancels_every_question() {
    let home = locked();
    let begins = |home: &Home, question: &str| match question {
        "Passphrase of the store" => Session::start(home, ["token", "demo", "openai"], &[]),
        "New passphrase for the store" => {
            let source = [("AUTHENTICATE_KEY_SOURCE", "passphrase"), ("K", KEY)];
            Session::start(home, ["demo", "openai", "--api-key-env", "K"], &source)
        }
        "API key for OpenAI" => Session::start(home, ["demo", "openai"], &[]),
        other => panic!("{other}"),
    };
    for (home, question) in [
        (&home, "Passphrase of the store"),
        (&Home::new(), "New passphrase for the store"),
        (&Home::new(), "API key for OpenAI"),
    ] {
        let mut session = begins(home, question);
        session.shows(question).masks();
        session.types(END);
        let shown = session.exits(code::INTERRUPTED);
        assert!(shown.contains("cancelled: the input ended before an answer"), "{shown}");
        assert_eq!(shown.matches(question).count(), 1, "{shown}");
    }
    let home = Home::new();
    let mut session = begins(&home, "New passphrase for the store");
    session.shows("New passphrase for the store");
    session.types(&format!("{PASSPHRASE}\r"));
    session.shows("Repeat it");
    session.types(END);
    assert!(!session.exits(code::INTERRUPTED).contains(PASSPHRASE));
}

/// Also questions whose answer is visible.
#[test]
fn end_of_input_cancels_a_visible_question() {
    let home = Home::new();
    let ask = || Session::start(&home, ["demo", "email"], &[]);
    let mut session = ask();
    session.shows("User name for E-mail");
    session.types(END);
    let shown = session.exits(code::INTERRUPTED);
    assert!(shown.contains("cancelled: the input ended before an answer"), "{shown}");
    let mut session = ask();
    session.shows("User name for E-mail");
    session.types("ann@example.com\r");
    session.shows("ann@example.com").shows("Password for E-mail").masks();
    session.types(&format!("{KEY}\r"));
    let shown = session.exits(code::DONE);
    assert!(shown.contains("stored fields email") && !shown.contains(KEY), "{shown}");
    assert!(home.stored()[0].1.contains("ann@example.com"));
}

/// Whoever is quick must not be seen: the terminal is silent before the question is there.
#[test]
fn typed_secret_is_hidden_even_before_the_question() {
    let home = locked();
    let mut session = Session::start_after(HOLD, &home, ["token", "demo", "openai"], &[]);
    session.masks();
    session.types(&format!("{PASSPHRASE}\r"));
    session.types(GO_ON);
    session.shows("Passphrase of the store");
    let shown = session.exits(code::DONE);
    assert!(shown.contains(KEY) && !shown.contains(PASSPHRASE), "{shown}");
}

/// Text typed before the question was visible, so it is not used as an answer.
#[test]
fn text_typed_before_the_question_is_dropped() {
    let home = locked();
    let mut session = Session::start_after("typed before\r", &home, ["token", "demo", "openai"], &[]);
    session.shows("Passphrase of the store");
    session.types(&format!("{PASSPHRASE}\r"));
    let shown = session.exits(code::DONE);
    assert!(shown.contains(KEY) && !shown.contains("not the passphrase"), "{shown}");
}

#[test]
fn typed_secret_is_hidden_between_questions() {
    let home = locked();
    let mut session = Session::start(&home, ["token", "demo", "openai"], &[]);
    session.shows("Passphrase of the store");
    session.types(&format!("something wrong\r{PASSPHRASE}\r"));
    let shown = session.exits(code::DONE);
    assert!(shown.contains("that is not the passphrase") && shown.contains(KEY), "{shown}");
    assert!(!shown.contains(PASSPHRASE) && !shown.contains("something wrong"), "{shown}");
    // Twice the same.
    let mut session = Session::start(&home, ["store", "backup", "b.age"], &[]);
    session.shows("Passphrase of the store");
    session.types(&format!("{PASSPHRASE}\r"));
    session.shows("New passphrase for the backup").masks();
    session.types("one\rother\rbattery staple\rbattery staple\r");
    let shown = session.exits(code::DONE);
    assert!(shown.contains("the answers differ") && !shown.contains("staple"), "{shown}");
    store(&home, ["unlock", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    store(&home, ["restore", "b.age", "--passphrase-stdin"]).input("battery staple").exits(code::DONE);
    prints_the_key(token(&home));
    store(&home, ["lock"]).exits(code::DONE);
}

/// The rest of what was pasted would be the shell's, which shows and runs it.
#[test]
fn paste_of_several_lines_is_refused_and_dropped() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types(&format!("{KEY}\rsecond CANARY\r"));
    let shown = session.exits(code::USAGE);
    assert!(shown.contains("it has more than one line") && !shown.contains("CANARY"), "{shown}");
    assert!(home.stored().is_empty());
    // Enter once too often is no line.
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types(&format!("{KEY}\r\r"));
    session.exits(code::DONE);
}

#[test]
fn line_that_a_terminal_cuts_is_refused() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types(&format!("sk-{}\r", "x".repeat(5000)));
    let shown = session.exits(code::USAGE);
    assert!(shown.contains("it is longer than a terminal line can be"), "{shown}");
    assert!(home.stored().is_empty());
}

/// A shell that stopped it would show what is typed after it goes on.
#[test]
fn ctrl_z_does_not_stop_a_question() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types(&format!("\x1a{KEY}\r"));
    let shown = session.exits(code::USAGE);
    assert!(shown.contains("control characters") && !shown.contains(KEY), "{shown}");
}

/// Somebody keeps the database locked, so that what was typed cannot be stored yet.
#[test]
fn signal_after_a_question_ends_the_program() {
    let home = with_key();
    let database = rusqlite::Connection::open(home.database()).expect("opened");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        database.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let mut session = Session::start(&home, ["demo", "openai"], &[]);
        session.shows("API key for OpenAI").masks();
        session.types("sk-9876543210fedcba\r");
        session.unmasks().signals(signal);
        session.exits(code::INTERRUPTED);
        database.execute_batch("ROLLBACK").expect("let go");
    }
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
}
