//! Files that a hostile container could have left.

use std::{
    fs::File,
    os::unix::{fs::symlink, net::UnixListener},
    time::{Duration, Instant},
};

use rustix::fs::{CWD, FileType, Mode, makedev, mkfifoat, mknodat};

use super::*;
use crate::{provider::capture_map::Format, vendor_files::Refusal};

const MAP: &str = "[{file: d/a.json, format: json, kind: token, fields: {token: /t}}]";
/// Number of damaged files tried for each sample.
const DAMAGED: usize = 60;
const TOKEN: &str = r#"{"t":"c4nary"}"#;

/// Asserts that reading and writing are refused for that reason without delay, and that errors hold no file's content.
fn assert_refused(login: &Login, map: &str, expected: Refusal) {
    let start = Instant::now();
    let errors = [
        login.read(map).map(drop).expect_err("read"),
        login.write(map, &super::captured(Credential::Token { token: "n3w".into() })).expect_err("written"),
    ];
    for error in errors {
        assert!(matches!(&error, CaptureError::Refused { problem, .. } if *problem == expected), "{error}");
        assert!(!format!("{error} {error:?}").contains("c4nary"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(!login.files().iter().any(|name| name.contains(".authenticate")), "{:?}", login.files());
}

#[test]
fn regular_file_is_read() {
    let found = Login::with("d/a.json", TOKEN).captured(MAP);
    assert_eq!(found.credential, Credential::Token { token: "c4nary".into() });
}

#[test]
fn link_in_the_place_of_the_file_is_refused() {
    let (login, outside) = (Login::with("d/b", ""), Login::with("a.json", TOKEN));
    symlink(outside.path().join("a.json"), login.path().join("d/a.json")).expect("link");
    assert_refused(&login, MAP, Refusal::Link);
    assert_eq!(outside.text("a.json"), TOKEN);
}

#[test]
fn link_in_the_place_of_its_directory_is_refused() {
    let (login, outside) = (Login::new(), Login::with("a.json", TOKEN));
    symlink(outside.path(), login.path().join("d")).expect("link");
    assert_refused(&login, MAP, Refusal::Link);
    assert_eq!(outside.text("a.json"), TOKEN);
}

#[test]
fn link_in_the_place_of_the_login_directory_is_refused() {
    let (login, outside) = (Login::new(), Login::with("d/a.json", TOKEN));
    let link = login.path().join("link");
    symlink(outside.path(), &link).expect("link");
    let error = read(link.as_path(), &entries(MAP), &Choice::default()).expect_err("refused");
    assert!(matches!(error, CaptureError::Refused { problem: Refusal::Link, .. }), "{error}");
}

#[test]
fn dangling_link_is_refused_and_not_missing() {
    let (login, outside) = (Login::with("d/b", ""), Login::new());
    symlink(outside.path().join("made"), login.path().join("d/a.json")).expect("link");
    assert_refused(&login, MAP, Refusal::Link);
    assert_eq!(outside.files(), [""; 0]);
}

#[test]
fn fifo_is_refused_without_blocking() {
    let login = Login::with("d/b", "");
    mkfifoat(CWD, login.path().join("d/a.json"), Mode::RWXU).expect("fifo");
    assert_refused(&login, MAP, Refusal::NotAFile);
}

#[test]
fn socket_directory_and_device_are_refused() {
    let login = Login::with("d/b", "");
    let _socket = UnixListener::bind(login.path().join("d/a.json")).expect("socket");
    assert_refused(&login, MAP, Refusal::NotAFile);

    assert_refused(&Login::with("d/a.json/x", TOKEN), MAP, Refusal::NotAFile);
    assert_refused(&Login::with("d", TOKEN), MAP, Refusal::NotADirectory);

    let login = Login::with("d/b", "");
    let zero = login.path().join("d/a.json");
    if mknodat(CWD, &zero, FileType::CharacterDevice, Mode::RWXU, makedev(1, 5)).is_ok() {
        assert_refused(&login, MAP, Refusal::NotAFile);
    }
}

#[test]
fn hard_link_to_a_file_elsewhere_is_refused() {
    let (login, outside) = (Login::with("d/b", ""), Login::with("a.json", TOKEN));
    fs::hard_link(outside.path().join("a.json"), login.path().join("d/a.json")).expect("hard link");
    assert_refused(&login, MAP, Refusal::HardLink);
}

#[test]
fn huge_file_is_refused_even_if_sparse() {
    assert_refused(&Login::with("d/a.json", vec![b' '; 5 << 20]), MAP, Refusal::Size);
    let login = Login::new();
    File::create(login.put("d/a.json", "")).expect("file").set_len(1 << 30).expect("sparse");
    assert_refused(&login, MAP, Refusal::Size);
}

#[test]
fn write_refuses_a_directory_that_others_can_write_to() {
    for open in [".", "d"] {
        let login = Login::with("d/a.json", TOKEN);
        fs::set_permissions(login.path().join(open), fs::Permissions::from_mode(0o777)).expect("mode");
        let error = login.write(MAP, &super::captured(Credential::Token { token: "n3w".into() }));
        let error = error.expect_err("refused");
        assert!(matches!(error, CaptureError::Refused { problem: Refusal::Writable, .. }), "{error}");
        assert_eq!(login.text("d/a.json"), TOKEN);
    }
}

/// Malformed texts, each with the canary where an error might quote it.
fn malformed() -> Vec<(Format, Vec<u8>)> {
    let deep = |open: &str, close: &str| open.repeat(10_000) + "\"c4nary\"" + &close.repeat(10_000);
    let bomb = (1..30).fold("a0: &a0 [c4nary]\n".to_owned(), |bomb, n| {
        bomb + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))
    });
    let toml_keys = format!("[{}]\nt = \"c4nary\"\n", vec!["a"; 10_000].join("."));
    [
        (Format::Json, r#"{"t":"c4nary"#.to_owned()),
        (Format::Json, r#"{"t":"c4nary"}x"#.to_owned()),
        (Format::Json, r#"{"t":"c4nary","#.to_owned()),
        (Format::Json, r#"c4nary"#.to_owned()),
        (Format::Json, "{\"t\":\"c4nary\n\"}".to_owned()),
        (Format::Json, "\0".to_owned() + TOKEN),
        (Format::Json, deep("[", "]")),
        (Format::Json, deep("{\"c4nary\":", "}")),
        (Format::Json, "[".repeat(1_000_000)),
        (Format::Yaml, "t: 'c4nary".to_owned()),
        (Format::Yaml, "t: c4nary\n  x: c4nary\n".to_owned()),
        (Format::Yaml, "t: *c4nary\n".to_owned()),
        (Format::Yaml, "t: 1\nt: c4nary\n".to_owned()),
        (Format::Yaml, "t: c4nary\n---\nt: c4nary\n".to_owned()),
        (Format::Yaml, "t: !!int c4nary\n".to_owned()),
        (Format::Yaml, "t: c4nary\0\n".to_owned()),
        (Format::Yaml, deep("[", "]")),
        (Format::Yaml, deep("- ", "")),
        (Format::Yaml, deep("{a: ", "}")),
        (Format::Yaml, (0..5_000).map(|n| format!("{}c4nary:\n", " ".repeat(n % 140))).collect()),
        (Format::Yaml, "[".repeat(1_000_000)),
        (Format::Yaml, bomb),
        (Format::Toml, "t = \"c4nary".to_owned()),
        (Format::Toml, "t = c4nary".to_owned()),
        (Format::Toml, "t = \"c4nary\"\nt = \"c4nary\"".to_owned()),
        (Format::Toml, format!("t = {}", deep("[", "]"))),
        (Format::Toml, format!("t = {}", deep("{a=", "}"))),
        (Format::Toml, toml_keys),
        (Format::Toml, "t = \"c4nary\0\"".to_owned()),
        (Format::Dotenv, "T='c4nary".to_owned()),
        (Format::Dotenv, "\nT=\"c4nary\\\"\n".to_owned()),
        (Format::Dotenv, "T=c4nary\0\n".to_owned()),
    ]
    .into_iter()
    .map(|(format, text)| (format, text.into_bytes()))
    .chain(
        [Format::Json, Format::Yaml, Format::Toml, Format::Dotenv].map(|f| (f, b"T=\"c4nary\xff\"".to_vec())),
    )
    .collect()
}

#[test]
fn malformed_file_is_reported_without_its_content() {
    for (format, text) in malformed() {
        let map =
            format!("[{{file: a, format: {format:?}, kind: token, fields: {{token: /t}}}}]").to_lowercase();
        let start = Instant::now();
        let login = Login::with("a", &text);
        let label = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
        let errors = [
            login.read(&map).map(drop).expect_err(&label),
            login.write(&map, &super::captured(Credential::Token { token: "n3w".into() })).expect_err(&label),
        ];
        for error in errors {
            assert!(matches!(error, CaptureError::Malformed { .. }), "{format:?} {label}: {error}");
            let said = format!("{error} {error:?}");
            assert!(!said.contains("c4nary") && said.len() < 200, "{format:?} {label}: {said}");
        }
        assert_eq!(fs::read(login.path().join("a")).expect("file"), text);
        assert!(start.elapsed() < Duration::from_secs(10), "{format:?} {label}");
    }
}

#[test]
fn error_of_a_malformed_file_names_line_and_column() {
    let error = Login::with("d/a.json", "{\n  \"t\": c4nary}").read(MAP).expect_err("malformed");
    assert_eq!(error.to_string(), "d/a.json is not JSON: line 2, column 8");
    let error = Login::with("d/a.json", "// a\n{\n  \"t\": c4nary}").read(MAP).expect_err("malformed");
    assert_eq!(error.to_string(), "d/a.json is not JSON: line 3, column 8");
    let map = MAP.replace("format: json", "format: toml");
    let error = Login::with("d/a.json", "a = 1\nt = c4nary\n").read(&map).expect_err("malformed");
    assert_eq!(error.to_string(), "d/a.json is not TOML: line 2, column 5");
}

#[test]
fn empty_file_has_no_login_and_is_no_error() {
    for format in ["json", "yaml", "toml", "dotenv"] {
        for text in ["", "\n", "  \n"] {
            let map = format!("[{{file: a, format: {format}, kind: token, fields: {{token: /t}}}}]");
            assert_eq!(Login::with("a", text).read(&map).expect(format), None);
        }
    }
}

#[test]
fn secret_or_label_with_control_characters_is_refused() {
    for text in [r#"{"t":"c4nary\nX: y"}"#, r#"{"t":"c4nary\u0000"}"#, r#"{"t":"T","u":"c4nary\u001b[2J"}"#] {
        let map = MAP.replace("/t}", "/t, account: {path: /u, optional: true}}");
        let error = Login::with("d/a.json", text).read(&map).expect_err("refused");
        assert!(matches!(error, CaptureError::Unusable { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("c4nary"));
    }
}

#[test]
fn unrepresentable_values_beside_the_token_are_kept() {
    let login = Login::with("d/a.json", r#"{"x":"\ud800","n":1e999,"t":"T"}"#);
    let found = login.captured(MAP);
    login.write(MAP, &found).expect("written");
    assert_eq!(login.text("d/a.json"), r#"{"x":"\ud800","n":1e999,"t":"T"}"#);
}

#[test]
fn damaged_file_is_an_error_or_empty_or_a_login_that_can_be_written() {
    let mut seed = 1_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let odd = b"\"'\\{}[]:,#&*!|>%@=\n\t -0eE.~<?\0\xff";
    for sample in super::samples::all() {
        for _ in 0..DAMAGED {
            let mut text = [&sample.text, &sample.other][random(2)].as_bytes().to_vec();
            for _ in 0..=random(3) {
                let at = random(text.len());
                match random(4) {
                    _ if text.is_empty() => {}
                    0 => text[at] = odd[random(odd.len())],
                    1 => text.insert(at, odd[random(odd.len())]),
                    2 => drop(text.remove(at)),
                    _ => text.truncate(at + 1),
                }
            }
            let damaged = String::from_utf8_lossy(&text).into_owned();
            let login = Login::with(&sample.file, &text);
            if let Ok(Some(found)) = login.read(&sample.map) {
                // An unreadable expiry is written as none.
                let found = Captured { has_unreadable_expiry: false, ..found };
                let new = Login::new();
                if sample.name != "copilot" {
                    new.write(&sample.map, &found).expect(&damaged);
                    assert_eq!(new.read(&sample.map).expect(&damaged).as_ref(), Some(&found), "{damaged}");
                }
                login.write(&sample.map, &found).expect(&damaged);
                assert_eq!(login.read(&sample.map).expect(&damaged).as_ref(), Some(&found), "{damaged}");
            }
        }
    }
}
