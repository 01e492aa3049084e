//! Files that are refused, and left as they are.

use std::os::unix::fs::symlink;

use super::*;

/// Both ways of opening fail, and the directory is the same afterwards.
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
fn link_in_place_of_the_database_is_refused() {
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
fn link_in_place_of_the_data_directory_is_refused() {
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
fn link_in_place_of_a_log_is_refused() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let (directory, file) = with_database();
        symlink("/etc/passwd", super::db::create::beside(&file, suffix)).expect("a link");
        is_refused(directory.path(), "symbolic link");
    }
}

#[test]
fn file_or_directory_open_to_others_is_refused() {
    let (directory, file) = with_database();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("changed");
    is_refused(directory.path(), &format!("chmod 600 {}", file.display()));
    assert_eq!(mode(&file), 0o640);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o770)).expect("changed");
    is_refused(directory.path(), &format!("chmod 700 {}", directory.path().display()));
}

#[test]
fn directory_or_fifo_in_place_of_the_database_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join(FILE_NAME);
    fs::create_dir(&file).expect("a directory");
    is_refused(directory.path(), "not a regular file");
    fs::remove_dir(&file).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a fifo");
    is_refused(directory.path(), "not a regular file");
}

#[test]
fn newer_schema_is_refused() {
    let (directory, file) = with_database();
    patch(&file, 60, &(SCHEMA_VERSION + 1).to_be_bytes());
    let error = refused(directory.path());
    assert!(
        matches!(error, StoreError::Newer { found, known: SCHEMA_VERSION, .. } if found == SCHEMA_VERSION + 1)
    );
}

#[test]
fn newer_schema_in_the_log_is_refused_by_new_and_open_stores() {
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
fn database_of_another_program_is_refused() {
    let (directory, file) = with_database();
    patch(&file, 68, &7u32.to_be_bytes());
    let error = refused(directory.path());
    assert!(matches!(error, StoreError::Foreign { application_id: 7, .. }), "{error}");
}

/// A database of another program in every state in which it may be found: in each journal mode, with a log that was not
/// checkpointed, with a journal that was not rolled back, and shorter than its header says.
#[test]
fn database_of_another_program_is_left_as_it_is_in_every_state() {
    let make = |mode: &str| {
        let directory = TempDir::new().expect("a directory");
        let file = directory.path().join(FILE_NAME);
        let other = rusqlite::Connection::open(&file).expect("opened");
        let sql = format!(
            "PRAGMA application_id = 7; PRAGMA journal_mode = {mode};
             CREATE TABLE t (a); INSERT INTO t SELECT zeroblob(9000)"
        );
        other.execute_batch(&sql).expect("made");
        (directory, file, other)
    };
    let close = |file: &Path| {
        for entry in fs::read_dir(file.parent().expect("a directory")).expect("files") {
            let path = entry.expect("an entry").path();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("closed to others");
        }
    };
    let is_left = |directory: &TempDir, file: &Path| {
        close(file);
        let error = refused(directory.path());
        assert!(matches!(error, StoreError::Foreign { application_id: 7, .. }), "{error}");
    };
    for mode in ["DELETE", "WAL"] {
        let (directory, file, other) = make(mode);
        drop(other);
        is_left(&directory, &file);
        let length = fs::metadata(&file).expect("there").len();
        fs::OpenOptions::new()
            .write(true)
            .open(&file)
            .and_then(|file| file.set_len(length - 4096))
            .expect("cut");
        is_left(&directory, &file);

        let (directory, _, other) = make(mode);
        other.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN").expect("begun");
        other
            .execute_batch("UPDATE t SET a = randomblob(90000); INSERT INTO t SELECT * FROM t")
            .expect("written");
        // Copied in the middle of a transaction, as a killed process leaves it.
        let left = TempDir::new().expect("a directory");
        for entry in fs::read_dir(directory.path()).expect("files").flatten() {
            fs::copy(entry.path(), left.path().join(entry.file_name())).expect("copied");
        }
        is_left(&left, &left.path().join(FILE_NAME));
    }
}

/// Checkpoints change the file while it is being recognised. No opening may mistake that for damage.
#[test]
fn store_that_grows_is_recognised_at_any_moment() {
    let (directory, _) = with_database();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut store = Store::open(directory.path()).expect("a store");
            store.connection.execute_batch("PRAGMA synchronous = OFF").expect("fast");
            for n in 0..400 {
                let secret = key(&"x".repeat(20_000));
                store.put(&address(&format!("p{n}")), &secret, &none()).expect("stored");
                store.erase().expect("checkpointed");
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
            Store::open_existing(directory.path()).expect("opened").expect("there");
        }
    });
}

/// A trigger made "stored" a lie, and a view can stand in for a table.
#[test]
fn schema_that_is_not_ours_to_the_letter_is_refused() {
    let view = "ALTER TABLE audit RENAME TO other; CREATE VIEW audit AS SELECT * FROM other";
    for (sql, says) in [
        (
            "CREATE TRIGGER lie AFTER INSERT ON credential BEGIN DELETE FROM credential; END",
            "trigger \"lie\"",
        ),
        (view, "table \"audit\""),
        ("CREATE TABLE mine (a)", "table \"mine\""),
        ("CREATE UNIQUE INDEX one ON credential (kind)", "index \"one\""),
        ("ALTER TABLE clock ADD COLUMN a INT DEFAULT 1", "table \"clock\""),
        ("DROP TRIGGER audit_is_bounded", "trigger \"audit_is_bounded\""),
        ("CREATE TABLE [\x1b[2J] (a)", "table \"...\" (redacted: it could be a key)"),
        ("ANALYZE", "table \"sqlite_stat1\""),
        ("DROP TABLE exchange", "table \"exchange\""),
    ] {
        let (directory, file) = with_database();
        let database = rusqlite::Connection::open(&file).expect("opened");
        database.execute_batch(sql).expect(sql);
        database.close().expect("closed");
        let before = fs::read(&file).expect("readable");
        for error in [Store::open(directory.path()).err(), Store::open_existing(directory.path()).err()] {
            let error = error.expect(sql);
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(error.to_string().contains(&format!("its {says} is not as this")), "{sql}: {error}");
        }
        assert!(fs::read(&file).expect("readable") == before, "{sql}: it was changed");
    }
}

#[test]
fn file_that_is_not_a_database_is_refused() {
    for content in [&b""[..], b"SQLite", b"SQLite format 3\0", &[b'x'; 5000]] {
        let (directory, file) = with_database();
        fs::write(&file, content).expect("writable");
        let error = refused(directory.path());
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn damaged_pages_are_reported_and_left_as_they_are() {
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
        let error = Store::open_existing(directory.path())
            .and_then(|store| store.expect("there").get(&address("codex")))
            .expect_err("damaged");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(fs::read(&file).expect("readable") == content, "it was changed");
    }
}

#[test]
fn log_without_its_database_is_refused() {
    let (directory, file) = with_database();
    fs::rename(&file, super::db::create::beside(&file, "-wal")).expect("moved");
    is_refused(directory.path(), "is missing");
}
