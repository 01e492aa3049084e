//! A data directory that others have access to: the same answer whatever is asked for.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use test_support::{Home, KEY, code};

fn set_mode(path: &Path, mode: u32) {
    fs::create_dir_all(path).expect("made");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

const LOGINS: [&[&str]; 2] = [&["demo", "openai", "--api-key-stdin"], &["demo", "codex", "--mode", "oauth"]];

#[test]
fn writable_by_others_is_the_same_error_for_every_login() {
    let home = Home::new();
    set_mode(&home.data(), 0o775);
    let data = home.data().display().to_string();
    for arguments in LOGINS {
        let why = format!(": other users have access to it (mode 0775): run `chmod 700 {data}`");
        home.authenticate(arguments).input(KEY).exits(code::STORE).says(&why);
    }
    fs::remove_dir_all(home.data()).expect("removed");
    symlink("/tmp", home.data()).expect("a link");
    for arguments in LOGINS {
        home.authenticate(arguments)
            .input(KEY)
            .exits(code::STORE)
            .says("it is a symbolic link: replace it with a real directory");
    }
}

#[test]
fn lock_directory_that_others_can_write_to_is_refused_by_name() {
    let home = Home::new();
    home.stores("openai", KEY);
    let (turns, logins) = (home.data().join("turns"), home.data().join("logins"));
    for directory in [&turns, &logins] {
        set_mode(directory, 0o777);
    }
    let why = |directory: &Path| {
        let shown = directory.display();
        format!("cannot use {shown}: other users have access to it (mode 0777): run `chmod 700 {shown}`")
    };
    home.authenticate(["logout", "demo", "openai"]).exits(code::STORE).says(&why(&turns));
    home.authenticate(["demo", "codex", "--mode", "oauth"]).exits(code::STORE).says(&why(&logins));
    assert_eq!(home.keys().len(), 1);
}
