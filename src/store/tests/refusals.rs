//! What is not opened, and stays as it is.

use std::os::unix::fs::{chown, symlink};

use super::*;

/// Neither way of opening takes it, and the file is the same afterwards, with nothing new beside it.
fn refused(directory: &Path) -> StoreError {
    let before = contents(directory);
    let reading = Store::open_existing(directory).expect_err("refused");
    let writing = Store::open(directory).expect_err("refused");
    assert_eq!(reading.to_string(), writing.to_string());
    assert_eq!(contents(directory), before, "{writing}");
    let at = directory.to_string_lossy();
    assert!(writing.to_string().contains(&*at), "{writing}");
    writing
}

fn contents(directory: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let entries = fs::read_dir(directory).expect("a directory").map(|e| e.expect("an entry").path());
    let content = |path: &Path| path.is_file().then(|| fs::read(path).expect("readable"));
    entries.map(|path| (path.clone(), content(&path))).collect()
}

fn is_refused(directory: &Path, expected: &str) {
    let error = refused(directory);
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

/// Overwrites part of the database file.
fn patch(file: &Path, at: usize, bytes: &[u8]) {
    let mut content = fs::read(file).expect("readable");
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(file, content).expect("writable");
}

#[test]
fn links_are_not_followed() {
    let (directory, file) = with_database();
    let elsewhere = TempDir::new().expect("a directory");
    let real = elsewhere.path().join("real.db");
    fs::rename(&file, &real).expect("moved");
    symlink(&real, &file).expect("a link");
    is_refused(directory.path(), "symbolic link");
    fs::remove_file(&file).expect("removed");
    fs::hard_link(&real, &file).expect("a hard link");
    is_refused(directory.path(), "hard link");
}

#[test]
fn the_directory_is_no_link_either_but_those_above_may_be() {
    let (directory, _) = with_database();
    let outer = TempDir::new().expect("a directory");
    let link = outer.path().join("link");
    symlink(directory.path(), &link).expect("a link");
    is_refused(&link, "symbolic link");
    let with_slash = PathBuf::from(format!("{}/", link.display()));
    Store::open(&with_slash).expect_err("still a link");
    Store::open(&link.join("new")).expect("a link above is the user's own affair");
}

#[test]
fn links_beside_the_database_are_not_followed() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let (directory, file) = with_database();
        symlink("/etc/passwd", super::db::create::beside(&file, suffix)).expect("a link");
        is_refused(directory.path(), "symbolic link");
    }
}

#[test]
fn other_peoples_files_are_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give files away.
    }
    let (directory, file) = with_database();
    chown(&file, Some(12345), None).expect("given away");
    is_refused(directory.path(), "belongs to user 12345");
    let (directory, _) = with_database();
    chown(directory.path(), Some(12345), None).expect("given away");
    is_refused(directory.path(), "belongs to user 12345");
}

#[test]
fn what_is_open_to_others_is_refused_with_the_way_out() {
    let (directory, file) = with_database();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("changed");
    is_refused(directory.path(), &format!("chmod 600 {}", file.display()));
    assert_eq!(mode(&file), 0o640);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o770)).expect("changed");
    is_refused(directory.path(), &format!("chmod 700 {}", directory.path().display()));
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join(FILE_NAME);
    fs::create_dir(&file).expect("a directory");
    is_refused(directory.path(), "not a regular file");
    fs::remove_dir(&file).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a fifo");
    is_refused(directory.path(), "not a regular file");
}

#[test]
fn a_newer_schema_is_refused() {
    let (directory, file) = with_database();
    patch(&file, 60, &(SCHEMA_VERSION + 1).to_be_bytes());
    let error = refused(directory.path());
    assert!(
        matches!(error, StoreError::Newer { found, known: SCHEMA_VERSION, .. } if found == SCHEMA_VERSION + 1)
    );
}

#[test]
fn a_newer_schema_is_refused_while_it_is_in_the_log_only_and_while_the_store_is_open() {
    let (directory, _) = with_database();
    let mut ours = Store::open(directory.path()).expect("a store");
    let newer = Store::open(directory.path()).expect("a store");
    newer.connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("migrated");
    let error = Store::open(directory.path()).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
    let error = ours.put(&address("gh"), &key("k"), &none()).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let (directory, file) = with_database();
    patch(&file, 68, &7u32.to_be_bytes());
    let error = refused(directory.path());
    assert!(matches!(error, StoreError::Foreign { application_id: 7, .. }), "{error}");
}

#[test]
fn what_is_no_database_is_refused() {
    for content in [&b""[..], b"SQLite", b"SQLite format 3\0", &[b'x'; 5000]] {
        let (directory, file) = with_database();
        fs::write(&file, content).expect("writable");
        let error = refused(directory.path());
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn damaged_pages_are_reported_and_left_alone() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |content| content.truncate(4096),
        |content| content[100..4096].fill(0xab),
        |content| content[4096..].fill(0xab),
    ];
    for damage in damages {
        let (directory, file) = with_database();
        let mut content = fs::read(&file).expect("readable");
        damage(&mut content);
        fs::write(&file, &content).expect("writable");
        let error = Store::open(directory.path())
            .and_then(|mut store| store.put(&address("codex"), &key("k"), &none()))
            .expect_err("damaged");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("keep a copy"), "{error}");
        let error = Store::open_existing(directory.path())
            .and_then(|store| store.expect("there").get(&address("codex")))
            .expect_err("damaged");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(fs::read(&file).expect("readable") == content, "it was changed");
    }
}

#[test]
fn a_log_without_its_database_is_not_played_into_a_new_one() {
    let (directory, file) = with_database();
    fs::rename(&file, super::db::create::beside(&file, "-wal")).expect("moved");
    is_refused(directory.path(), "is missing");
}
