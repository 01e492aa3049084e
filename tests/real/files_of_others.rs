//! Files that belong to another user. Only root can give a file away.

use std::{os::unix::fs::chown, path::Path};

use authenticate::store::Store;
use test_support::{Home, KEY, code};

#[test]
fn a_file_of_another_user_is_not_believed() {
    let home = Home::new();
    let provider = home.write("config/providers/openai.yaml", "api: {base_url: https://ai.example.com}\n");
    let project = home.write("config/projects/demo.yaml", "credential_set: theirs\n");
    chown(&provider, Some(65534), None).expect("given away");
    let key = ["demo", "openai", "--api-key-stdin"];
    let says = |path: &Path| {
        format!(
            "it belongs to user 65534, not to user 0: if its content is right, run `chown 0 {}`",
            path.display()
        )
    };
    home.authenticate(key).input(KEY).exits(code::USAGE).says(&says(&provider));
    chown(&provider, Some(0), None).expect("given back");
    chown(&project, Some(65534), None).expect("given away");
    home.authenticate(key).input(KEY).exits(code::USAGE).says(&says(&project));
    assert!(home.stored().is_empty());
    chown(&project, Some(0), None).expect("given back");
    home.authenticate(key).input(KEY).exits(code::DONE);
}

#[test]
fn a_database_of_another_user_is_refused() {
    for file in [true, false] {
        let home = Home::new();
        home.stores("openai", KEY);
        let theirs = if file { home.database() } else { home.data() };
        chown(theirs, Some(12345), None).expect("given away");
        let error = Store::open(&home.data()).expect_err("another user's").to_string();
        assert!(error.contains("belongs to user 12345"), "{error}");
    }
}
