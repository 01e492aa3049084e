//! The source of the store's key: chosen once, and never changed silently.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use test_support::{
    CANARY, Home, KEY, Run, code, files_below,
    key_ring::HangingBus,
    one_key::{BUS, PASSPHRASE, VARIABLE, prints_the_key, stores, token},
    pty::Session,
};

fn config(home: &Home, text: &str) {
    home.write("config/config.yaml", text);
}

/// With a file that holds the passphrase.
fn with_passphrase(home: &Home, run: Run) -> Run {
    run.env("AUTHENTICATE_PASSPHRASE_FILE", home.write("passphrase", &format!("{PASSPHRASE}\n")))
}

#[track_caller]
fn no_file_holds_the_canary(home: &Home) {
    for file in files_below(home.path()) {
        let content = fs::read(&file).expect("read");
        let holds = content.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!holds, "{}", file.display());
    }
}

#[test]
fn no_session_bus_chooses_a_key_file_and_reports_it_once() {
    let home = Home::new();
    let file = home.data().join("store.key");
    stores(&home).exits(code::DONE).says(&format!("sealed with a key file: {}", file.display()));
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    stores(&home).exits(code::DONE).does_not_say("sealed");
    prints_the_key(token(&home)).does_not_say("sealed");
    no_file_holds_the_canary(&home);
}

#[test]
fn key_file_can_be_elsewhere() {
    let home = Home::new();
    let disk = home.path().join("disk");
    fs::create_dir(&disk).expect("made");
    let file = disk.join("k");
    config(&home, &format!("store:\n  key_file: {}\n", file.display()));
    stores(&home).exits(code::DONE);
    assert_eq!(fs::read(&file).expect("there").len(), 32);
    assert!(!home.data().join("store.key").exists());
    prints_the_key(token(&home));
    fs::rename(&file, disk.join("away")).expect("moved");
    token(&home).exits(code::STORE).says(&format!("{} is missing: put it back", file.display()));
    stores(&home).exits(code::STORE).says("is missing");
    home.authenticate(["status"]).exits(code::DONE).prints("openai");
}

#[test]
fn existing_key_file_is_used_unchanged() {
    let home = Home::new();
    let file = home.write("disk/k", &"x".repeat(32));
    config(&home, &format!("store: {{key_source: key_file, key_file: {}}}\n", file.display()));
    stores(&home).exits(code::STORE).says("chmod 600");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("closed");
    stores(&home).exits(code::DONE);
    prints_the_key(token(&home));
    assert_eq!(fs::read_to_string(&file).expect("there"), "x".repeat(32));
    let short = home.write("disk/short", "x");
    fs::set_permissions(&short, fs::Permissions::from_mode(0o600)).expect("closed");
    let other = Home::new();
    config(&other, &format!("store: {{key_file: {}}}\n", short.display()));
    stores(&other).exits(code::STORE).says("does not hold a key: a key file is 32 random bytes");
}

#[test]
fn invalid_configuration_is_reported_with_its_place_and_stores_nothing() {
    for (text, says) in [
        (
            "store:\n  key_sorce: keyring\n",
            "config.yaml:2:3: unknown field \"key_sorce\" (did you mean \"key_source\"?)",
        ),
        (
            "store: {key_source: keyrng}\n",
            "config.yaml:1:9: unknown value \"keyrng\" (did you mean \"keyring\"?)",
        ),
        (
            "store: {key_file: store.key}\n",
            "config.yaml:1:9: store.key_file: store.key is not an absolute path",
        ),
        ("store: {key_source: command}\n", "the key source command needs a passphrase_command"),
        ("store: {passphrase_command: []}\n", "store.passphrase_command: it names no program"),
        ("store: {key_source: keyring, key_file: /k}\n", "and key_source is keyring"),
        ("store: {passphrase_command: [a], key_file: /k}\n", "key_source says which"),
        ("stor: {}\n", "unknown field \"stor\""),
        ("store: [\n", "config.yaml:"),
    ] {
        let home = Home::new();
        config(&home, text);
        stores(&home).exits(code::USAGE).says(says);
        assert!(home.stored().is_empty());
    }
    let home = Home::new();
    stores(&home)
        .env(VARIABLE, "keyrng")
        .exits(code::USAGE)
        .says("\"keyrng\" is not a key source (known: keyring, ");
    assert!(!home.data().join("store.key").exists());
}

#[test]
fn empty_configuration_is_valid() {
    for text in ["", "# nothing\n\n", "store: {}\n"] {
        let home = Home::new();
        config(&home, text);
        stores(&home).exits(code::DONE).says("sealed with a key file");
    }
}

#[test]
fn recorded_key_source_wins_and_a_difference_is_reported() {
    let home = Home::new();
    stores(&home).exits(code::DONE);
    stores(&home)
        .env(VARIABLE, "passphrase")
        .exits(code::DONE)
        .says("the settings name the key source passphrase, but the key of")
        .says("`authenticate store rekey --source passphrase` changes that");
    config(&home, "store: {key_source: systemd-creds}\n");
    stores(&home).exits(code::DONE).says("store rekey --source systemd-creds");
    config(&home, "store: {key_file: /elsewhere/k}\n");
    stores(&home).exits(code::DONE).says("store rekey --source key_file");
    config(&home, "store: {key_source: key_file}\n");
    stores(&home).exits(code::DONE).does_not_say("rekey");
    prints_the_key(token(&home).env(VARIABLE, "passphrase"));
}

#[test]
fn passphrase_is_read_from_a_file() {
    let home = Home::new();
    stores(&home).env(VARIABLE, "passphrase").exits(code::STORE).says("AUTHENTICATE_PASSPHRASE_FILE");
    with_passphrase(&home, stores(&home)).env(VARIABLE, "passphrase").exits(code::DONE);
    prints_the_key(with_passphrase(&home, token(&home)));
    let locked = token(&home).exits(code::STORE);
    locked.says("is locked with a passphrase\n").says("hint: run `authenticate store unlock`");
    let wrong = home.write("wrong", "incorrect horse\n");
    token(&home)
        .env("AUTHENTICATE_PASSPHRASE_FILE", wrong)
        .exits(code::STORE)
        .says("that is not the passphrase")
        .does_not_say("horse");
    token(&home)
        .env("AUTHENTICATE_PASSPHRASE_FILE", home.path().join("missing"))
        .exits(code::STORE)
        .says("the file of AUTHENTICATE_PASSPHRASE_FILE: ");
    let marked = home.write("marked", &format!("\u{feff}{PASSPHRASE}\r\n"));
    prints_the_key(token(&home).env("AUTHENTICATE_PASSPHRASE_FILE", marked));
    let empty = Home::new();
    stores(&empty)
        .env(VARIABLE, "passphrase")
        .env("AUTHENTICATE_PASSPHRASE_FILE", empty.write("empty", "\n"))
        .exits(code::STORE)
        .says("an empty passphrase protects nothing");
    home.authenticate(["status"]).exits(code::DONE).prints("openai");
    home.authenticate(["logout", "demo", "openai"]).exits(code::DONE);
    fs::remove_file(home.path().join("passphrase")).expect("removed");
    for file in files_below(&home.data()) {
        assert!(!String::from_utf8_lossy(&fs::read(file).expect("read")).contains(PASSPHRASE));
    }
}

#[test]
fn passphrase_is_asked_for_at_a_terminal() {
    let home = Home::new();
    let environment = [(VARIABLE, "passphrase"), ("K", KEY)];
    let mut session = Session::start(&home, ["demo", "openai", "--api-key-env", "K"], &environment);
    session.shows("New passphrase for the store").masks();
    session.types(&format!("{PASSPHRASE}\r")).shows("Repeat it").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    assert!(!session.exits(code::DONE).contains(PASSPHRASE));
    let mut session = Session::start(&home, ["token", "demo", "openai"], &[]);
    session.shows("Passphrase of the store").masks();
    session.types("wrong\r").shows("that is not the passphrase").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    assert!(session.exits(code::DONE).contains(KEY));
    let mut session = Session::start(&home, ["token", "demo", "openai"], &[]);
    for wrong in 0..3 {
        session.shows_times(wrong, "that is not the passphrase").shows("Passphrase of the store").masks();
        session.types("wrong\r");
    }
    assert!(session.exits(code::STORE).contains("that is not the passphrase of"));
    let mut session = Session::start(&home, ["token", "demo", "openai"], &[]);
    session.shows("Passphrase of the store").masks();
    session.types("\u{3}");
    assert!(!session.exits(code::INTERRUPTED).contains(KEY));
}

/// A password manager, as far as we are concerned.
fn manager(home: &Home, script: &str) -> String {
    let file = home.write("bin/manager", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
    format!("store: {{passphrase_command: [{}, show, \"store; exit 1\"]}}\n", file.display())
}

#[test]
fn passphrase_is_read_from_a_command() {
    let home = Home::new();
    let text =
        manager(&home, r#"[ "$#/$1/$2" = '2/show/store; exit 1' ] && echo 'from the manager'; echo notes"#);
    config(&home, &text);
    stores(&home)
        .exits(code::DONE)
        .says("its key is in: the output of store.passphrase_command in config.yaml");
    prints_the_key(token(&home));
    manager(&home, "echo 'another one'");
    token(&home)
        .exits(code::STORE)
        .says("what the command printed is not the passphrase of this store")
        .says("store.passphrase_command in config.yaml")
        .does_not_say("another one");
    for (script, says) in [
        ("echo 'no such entry' >&2; exit 1", "failed: no such entry"),
        (
            "echo 'from the manager'; echo 'oops: from the manager' >&2; exit 1",
            "failed: exit status: 1 (what it said",
        ),
        ("exit 0", "printed no passphrase"),
        ("echo", "printed no passphrase"),
        (r"printf 'from the \377\n'", "printed is not UTF-8 text"),
        ("yes 'from the manager' | head -c 1000000", "printed more than 64 KiB"),
    ] {
        manager(&home, script);
        let said = token(&home).exits(code::STORE);
        said.says(says).does_not_say("from the");
        said.says("(it is store.passphrase_command in config.yaml)");
    }
    // Its other output is ignored.
    manager(&home, r"echo 'from the manager'; printf '\377'");
    prints_the_key(token(&home));
    fs::remove_file(home.path().join("bin/manager")).expect("removed");
    token(&home).exits(code::STORE).says("cannot run `");
    let other = Home::new();
    let text = manager(&other, "exit 1");
    config(&other, &text);
    stores(&other).exits(code::STORE).says("(it is store.passphrase_command in config.yaml)");
}

/// A database is data: the settings say what is run.
#[test]
fn command_is_run_only_as_the_settings_name_it() {
    let home = Home::new();
    let log = home.path().join("ran");
    let text = manager(&home, &format!("echo >>{}; echo passphrase", log.display()));
    config(&home, &text);
    stores(&home).exits(code::DONE);
    let runs = || fs::read_to_string(&log).expect("ran").len();
    let before = runs();
    let file = home.config().join("config.yaml");
    let set = format!("into {}, as `store: {{passphrase_command: [PROGRAM, ARGUMENT]}}`", file.display());
    fs::remove_file(&file).expect("removed");
    token(&home).exits(code::STORE).says(&set);
    config(&home, "store: {key_source: key_file}\n");
    token(&home).exits(code::STORE).says(&set);
    token(&home).env(VARIABLE, "command").exits(code::STORE).says(&set);
    assert_eq!(runs(), before);
    // Any command may print the passphrase.
    config(&home, "store: {passphrase_command: [echo, passphrase]}\n");
    prints_the_key(token(&home)).does_not_say("rekey");
    assert_eq!(runs(), before);
}

#[test]
fn hanging_session_bus_fails_in_bounded_time_and_chooses_no_other_source() {
    let home = Home::new();
    let bus = HangingBus::in_directory(home.path());
    let start = Instant::now();
    stores(&home).env(BUS, bus.address()).exits(code::STORE).says("did not answer within 8 seconds");
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(!home.data().join("store.key").exists());
    // With a key file nobody asks it.
    stores(&home).env(VARIABLE, "key_file").exits(code::DONE);
    let start = Instant::now();
    prints_the_key(token(&home).env(BUS, bus.address()));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn unreachable_session_bus_chooses_a_key_file() {
    let home = Home::new();
    stores(&home).env(BUS, "unix:path=/nonexistent/bus").exits(code::DONE).says("sealed with a key file");
}
