//! A file of the configuration that somebody else could have written: nothing of what it says is done.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use test_support::{Home, KEY, code};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn command_from_a_file_writable_by_others_is_not_run() {
    let home = Home::new();
    let ran = home.path().join("ran");
    let program = home.write("program", &format!("#!/bin/sh\ntouch {}\necho secret\n", ran.display()));
    set_mode(&program, 0o755);
    let text = format!("store:\n  passphrase_command: [{}]\n", program.display());
    let config = home.write("config/config.yaml", &text);
    set_mode(&config, 0o666);
    home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY).exits(code::USAGE).says(&format!(
        "everybody can write to it: if its content is right, run `chmod o-w {}`",
        config.display()
    ));
    assert!(!ran.exists() && home.stored().is_empty());
    // A group may: it is often the user's own.
    set_mode(&config, 0o664);
    home.stores("openai", KEY);
    assert!(ran.exists());
}

/// Only root can give a file away.
#[test]
fn doctor_reports_files_with_wrong_permissions() {
    let home = Home::new();
    let provider = home.write("config/providers/openai.yaml", "label: Theirs\n");
    set_mode(&provider, 0o666);
    home.authenticate(["doctor"])
        .exits(code::USAGE)
        .prints(&format!("run `chmod o-w {}`", provider.display()));
}

#[test]
fn lint_accepts_files_of_others_outside_the_configuration() {
    let home = Home::new();
    let (theirs, ours) =
        (home.write("acme.yaml", "label: Acme\n"), home.write("config/providers/acme.yaml", "label: Acme\n"));
    for file in [&theirs, &ours] {
        set_mode(file, 0o666);
    }
    let lint = |file: &Path| home.authenticate(["providers", "lint", file.to_str().expect("text")]);
    lint(&theirs).exits(code::DONE).says("no problems found");
    lint(&ours).exits(code::USAGE).says("everybody can write to it");
}

#[test]
fn image_writable_by_others_is_not_built() {
    let home = Home::new();
    let recipe = home.write("config/images/codex/Containerfile", "FROM scratch\n");
    set_mode(&recipe, 0o666);
    home.authenticate(["image", "build", "codex"]).exits(code::USAGE).says("everybody can write to it");
}
