//! Names of the files in a login's directory.

use std::os::unix::{ffi::OsStrExt, fs::symlink};

use super::*;
use crate::vendor_files::names;

#[test]
fn names_are_relative_and_sorted_and_follow_no_link() {
    let login = Login::with("b/c.json", "secret");
    login.put("a", "secret");
    symlink("/etc", login.path().join("link")).expect("link");
    assert_eq!(login.files(), ["a", "b/", "b/c.json", "link"]);
    assert_eq!(names(&login.path().join("link")), [""; 0]);
    assert_eq!(names(&login.path().join("missing")), [""; 0]);
}

#[test]
fn names_escape_untrusted_text() {
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
    let names = login.files();
    assert_eq!(
        names,
        ["\\u{1b}[2J", "\\u{202e}gnp", "\\xff\\xfe", "a\\nb", "back\\\\slash", "\u{e9}'\""],
        "{names:#?}"
    );
}

#[test]
fn names_of_a_huge_or_deep_directory_are_few() {
    let login = Login::new();
    for n in 0..100_000 {
        // Hard links to one file are faster to create than files.
        match n % 10_000 {
            0 => drop(login.put(&format!("{n:06}"), "")),
            _ => fs::hard_link(
                login.path().join(format!("{:06}", n - n % 10_000)),
                login.path().join(format!("{n:06}")),
            )
            .expect("name"),
        }
    }
    let start = std::time::Instant::now();
    let names = login.files();
    assert!(start.elapsed().as_secs() < 2);
    assert_eq!(names.len(), 40);
    assert_eq!(names[39], "...");

    let deep = Login::with("d/".repeat(500).trim_end_matches('/'), "");
    assert_eq!(deep.files(), ["d/", "d/d/", "d/d/d/", "d/d/d/d/"]);
}
