//! An API key goes straight into the store, from wherever it comes.

use std::fs;

use test_support::{CANARY, Home, KEY, code, json, pty::Session};

fn only_key(home: &Home) -> String {
    let [(address, key)] = home.keys().try_into().expect("one credential");
    assert_eq!(address, "default/openai/default");
    key
}

#[test]
fn key_is_read_from_standard_input() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(KEY)
        .exits(code::DONE)
        .says("stored api_key openai")
        .says("use it with: authenticate token demo openai")
        .does_not_say(CANARY)
        .does_not_say("warning");
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn key_is_read_from_a_file() {
    let home = Home::new();
    let file = home.write("key", &format!("{KEY}\n"));
    home.authenticate(["demo", "openai", "--api-key-file", file.to_str().unwrap()])
        .exits(code::DONE)
        .does_not_say(CANARY);
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn key_is_read_from_an_environment_variable() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-env", "MY_KEY"])
        .env("MY_KEY", KEY)
        .exits(code::DONE)
        .does_not_say(CANARY);
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn key_as_an_argument_is_stored_with_a_warning() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key", KEY])
        .exits(code::DONE)
        .says("warning: other users of this machine could see that key")
        .does_not_say(CANARY);
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn key_typed_at_the_prompt_is_hidden() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("https://platform.openai.com/api-keys").shows("API key for OpenAI").masks();
    session.types(&format!("{KEY}\r"));
    let shown = session.exits(code::DONE);
    assert!(!shown.contains(CANARY), "{shown:?}");
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn interrupted_prompt_stores_nothing() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types("sk-CANARY\x03");
    let shown = session.exits(code::INTERRUPTED);
    assert!(!shown.contains(CANARY), "{shown:?}");
    assert!(home.keys().is_empty());
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let home = Home::new();
    home.authenticate(["demo", "openai"])
        .input(KEY)
        .exits(code::USAGE)
        .says("use --api-key-stdin, --api-key-file or --api-key-env");
    assert!(home.keys().is_empty());
}

#[test]
fn standard_input_that_is_a_terminal_is_refused() {
    let home = Home::new();
    let session = Session::start(&home, ["demo", "openai", "--api-key-stdin"], &[]);
    let shown = session.exits(code::USAGE);
    assert!(shown.contains("leave --api-key-stdin out to be asked for the key"), "{shown}");
}

#[test]
fn several_key_sources_are_refused() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-stdin", "--api-key-env", "MY_KEY"])
        .env("MY_KEY", KEY)
        .input(KEY)
        .exits(code::USAGE)
        .says("cannot be used with");
    assert!(home.keys().is_empty());
}

#[test]
fn white_space_around_the_key_is_removed() {
    for around in
        [format!("{KEY}\n"), format!("{KEY}\r\n"), format!("  \t{KEY} \n\n"), format!("\u{feff}{KEY}\n")]
    {
        let home = Home::new();
        home.stores("openai", &around);
        assert_eq!(only_key(&home), KEY);
    }
}

#[test]
fn stored_bytes_are_as_documented() {
    let home = Home::new();
    home.stores("openai", KEY);
    let [(_, secret)] = home.stored().try_into().expect("one credential");
    assert_eq!(secret, format!(r#"{{"type":"api_key","key":"{KEY}"}}"#));
}

#[test]
fn key_with_json_escapes_is_printed_unchanged() {
    let home = Home::new();
    let odd = r#"a"b\c/ü€😀"#;
    let login = ["demo", "mistral", "--api-key-stdin"];
    home.authenticate(login).input(odd).exits(code::USAGE).says("--force stores it anyway");
    home.authenticate([&login[..], &["--force"]].concat()).input(odd).exits(code::DONE);
    let [(_, secret)] = home.stored().try_into().expect("one credential");
    assert_eq!(json(&secret)["key"], odd);
    assert_eq!(home.authenticate(["token", "demo", "mistral"]).exits(code::DONE).stdout, format!("{odd}\n"));
}

#[test]
fn invalid_key_is_refused_and_not_repeated() {
    let two_lines = format!("{KEY}\n{KEY}");
    let long = format!("sk-CANARY{}", "x".repeat(20_000));
    let refused: [(&str, &str); 9] = [
        ("sk-CANARY-0123\u{202e}456789abcdef", "it contains characters that cannot be seen"),
        ("sk-CANARY-0123456789abcdef\u{200b}", "it contains characters that cannot be seen"),
        ("", "it is empty"),
        (" \r\n\t", "it is empty"),
        (&two_lines, "it has more than one line"),
        ("sk-CANARY-0123\u{7}456789abcdef", "it contains control characters"),
        ("sk-CANARY", "it does not look like one"),
        ("CANARY-is-of-another-vendor", "it does not look like one"),
        (&long, "it is longer than any key"),
    ];
    for (key, why) in refused {
        let home = Home::new();
        home.authenticate(["demo", "openai", "--api-key-stdin"])
            .input(key)
            .exits(code::USAGE)
            .says("the key for openai is refused: ")
            .says(why)
            .does_not_say(CANARY);
        assert!(!home.database().exists(), "{key:?} made a store");
    }
}

#[test]
fn key_that_is_not_utf8_is_refused() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(b"sk-CANARY-\xff\xfe-0123456789abcdef")
        .exits(code::USAGE)
        .says("cannot read the key from standard input")
        .does_not_say(CANARY);
    assert!(home.keys().is_empty());
}

#[test]
fn missing_key_source_is_reported() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-file", "/nonexistent/key"])
        .exits(code::USAGE)
        .says("cannot read the key from the file of --api-key-file: No such file");
    home.authenticate(["demo", "openai", "--api-key-file", home.path().to_str().unwrap()])
        .exits(code::USAGE)
        .says("cannot read the key from");
    home.authenticate(["demo", "openai", "--api-key-env", "MY_KEY"])
        .exits(code::USAGE)
        .says("the variable \"MY_KEY\" of --api-key-env is not set");
    home.authenticate(["demo", "openai", "--api-key-env", "MY_KEY"])
        .env("MY_KEY", "  ")
        .exits(code::USAGE)
        .says("it is empty");
    assert!(home.keys().is_empty());
}

/// An easy slip: the key where its variable or its file should be named.
#[test]
fn key_in_place_of_a_name_is_not_repeated() {
    let home = Home::new();
    for flag in ["--api-key-env", "--api-key-file"] {
        home.authenticate(["demo", "openai", flag, KEY]).exits(code::USAGE).does_not_say(CANARY);
    }
}

#[test]
fn force_overrides_only_the_pattern() {
    let home = Home::new();
    let odd = "CANARY-is-of-another-vendor";
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(odd)
        .exits(code::USAGE)
        .says("hint: --force stores it anyway");
    home.authenticate(["demo", "openai", "--api-key-stdin", "--force"])
        .input("two\nlines")
        .exits(code::USAGE)
        .does_not_say("hint: --force");
    assert!(home.keys().is_empty());
    home.authenticate(["demo", "openai", "--api-key-stdin", "--force"]).input(odd).exits(code::DONE);
    assert_eq!(only_key(&home), odd);
}

#[test]
fn storing_again_erases_the_old_key() {
    let home = Home::new();
    home.stores("openai", "sk-OLD-0123456789-abcdefghij");
    home.stores("openai", KEY);
    assert_eq!(only_key(&home), KEY);
    for file in test_support::files_below(&home.data()) {
        let bytes = fs::read(&file).expect("read");
        assert!(!bytes.windows(6).any(|window| window == b"sk-OLD"), "{}", file.display());
    }
}

#[test]
fn refused_key_keeps_the_stored_one() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["demo", "openai", "--api-key-stdin"]).input("nonsense").exits(code::USAGE);
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn unprintable_result_is_not_reported_as_a_failed_login() {
    let home = Home::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("opened");
    let outcome = home
        .authenticate(["demo", "openai", "--api-key-stdin", "--json"])
        .stdout(full)
        .input(KEY)
        .exits(code::FAILED);
    outcome.says("openai is stored, but the result could not be printed: cannot write to standard output: No space left on device");
    assert_eq!(only_key(&home), KEY);
}

#[test]
fn json_has_the_address_and_not_the_key() {
    let home = Home::new();
    let outcome =
        home.authenticate(["demo", "openai:work", "--api-key-stdin", "--json"]).input(KEY).exits(code::DONE);
    let stored = outcome.json();
    assert_eq!(
        (&stored["provider"], &stored["set"], &stored["profile"], &stored["kind"]),
        (&"openai".into(), &"default".into(), &"work".into(), &"api_key".into())
    );
    outcome.does_not_say(CANARY);
}

/// From a provider whose keys have no known form, as from any other.
#[test]
fn key_is_found_in_what_is_pasted_around_it() {
    let home = Home::new();
    let key = "groqkey-1";
    for pasted in [
        format!("\"{key}\""),
        format!("Bearer {key}"),
        format!("export DEEPSEEK_API_KEY={key}\n"),
        format!("\u{feff}{key}"),
    ] {
        home.write("key", &pasted);
        let read = || {
            assert_eq!(
                home.authenticate(["token", "demo", "deepseek"]).exits(code::DONE).stdout,
                format!("{key}\n")
            )
        };
        home.authenticate(["demo", "deepseek", "--api-key-stdin"]).input(pasted.as_str()).exits(code::DONE);
        read();
        home.authenticate(["demo", "deepseek", "--api-key-file", "key"]).exits(code::DONE);
        read();
        home.authenticate(["demo", "deepseek", "--api-key-env", "K"]).env("K", &pasted).exits(code::DONE);
        read();
    }
    for bad in ["a b", "\"a", "Bearer", "DEEPSEEK_API_KEY="] {
        home.authenticate(["demo", "mistral", "--api-key-stdin"])
            .input(bad)
            .exits(code::USAGE)
            .says("is refused");
    }
    home.authenticate(["token", "demo", "mistral"]).exits(code::NO_CREDENTIAL);
}
