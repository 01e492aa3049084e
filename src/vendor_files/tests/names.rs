use std::os::unix::{ffi::OsStrExt, fs::symlink};

use super::*;
use crate::vendor_files::names;

#[test]
fn names_are_relative_sorted_and_never_followed() {
    let login = Login::with("b/c.json", "secret");
    login.put("a", "secret");
    symlink("/etc", login.path().join("link")).expect("link");
    assert_eq!(login.files(), ["a", "b/", "b/c.json", "link"]);
    assert_eq!(names(&login.path().join("link")), [""; 0]);
    assert_eq!(names(&login.path().join("none")), [""; 0]);
}

#[test]
fn names_are_hostile_text() {
    let login = Login::new();
    for name in [
        &b"a\nb"[..],
        b"\x1b[2J",
        b"\xff\xfe",
        "\u{202e}gnp".as_bytes(),
        b"back\\slash",
        "\u{e9}'\"".as_bytes(),
    ] {
        fs::write(login.path().join(std::ffi::OsStr::from_bytes(name)), "").expect("file");
    }
    let shown = login.files();
    assert_eq!(
        shown,
        ["\\u{1b}[2J", "\\u{202e}gnp", "\\xff\\xfe", "a\\nb", "back\\\\slash", "\u{e9}'\""],
        "{shown:#?}"
    );
}

#[test]
fn names_stay_few() {
    let login = Login::new();
    for n in 0..100_000 {
        // One file with many names is quicker to make than many files.
        match n % 10_000 {
            0 => drop(login.put(&format!("{n:06}"), "")),
            _ => fs::hard_link(
                login.path().join(format!("{:06}", n - n % 10_000)),
                login.path().join(format!("{n:06}")),
            )
            .expect("name"),
        }
    }
    let begun = std::time::Instant::now();
    let shown = login.files();
    assert!(begun.elapsed().as_secs() < 2);
    assert_eq!(shown.len(), 40);
    assert_eq!(shown[39], "...");

    let deep = Login::with("d/".repeat(500).trim_end_matches('/'), "");
    assert_eq!(deep.files(), ["d/", "d/d/", "d/d/d/", "d/d/d/d/"]);
}
