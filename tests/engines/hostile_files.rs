//! Files of a hostile CLI are refused by name, and nothing outside its directory is read.

use crate::harness::{Place, acme};

/// Runs the steps and fails; the message. No secret from anywhere is stored or said.
fn refused(steps: &[&str]) -> String {
    let home = acme(Place::Docker, steps);
    home.file("outside.json", r#"{"a":"OUTSIDE","r":"OUTSIDE"}"#);
    let ended = home.run(&["p", "acme", "--mode", "oauth"]).expect(4);
    home.run(&["token", "p", "acme"]).expect(3);
    home.assert_nothing_left();
    let said = format!("{}{}", ended.out, ended.err);
    assert!(!said.contains("OUTSIDE"), "{said}");
    assert!(said.contains("auth.json"), "{said}");
    said
}

#[test]
fn a_symbolic_link() {
    let said = refused(&["symlink /etc/hostname auth.json"]);
    assert!(said.contains("link"), "{said}");
    let said = refused(&["symlink ../../../outside.json auth.json"]);
    assert!(said.contains("link"), "{said}");
}

#[test]
fn a_fifo() {
    let said = refused(&["mkfifo auth.json"]);
    assert!(said.contains("not a regular file") || said.contains("FIFO"), "{said}");
}

#[test]
fn a_hard_link() {
    let said = refused(&[r#"write real.json {"a":"AAA","r":"RRR"}"#, "hardlink real.json auth.json"]);
    assert!(said.contains("link"), "{said}");
}

#[test]
fn a_huge_file() {
    let said = refused(&["sparse auth.json 1099511627776"]);
    assert!(said.contains("large"), "{said}");
}

#[test]
fn a_file_that_is_nested_without_end() {
    refused(&["deep auth.json 100000"]);
}
