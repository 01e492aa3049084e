//! Tests of the store with several processes. This binary starts itself: a test whose name starts with `child_` does
//! nothing unless another test has started it.

#![allow(clippy::expect_used)]

use std::{
    env, fs,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use authenticate::{
    credential::{Address, Credential, Metadata},
    store::{FILE_NAME, KeySource, Place, Store, Swap},
};
use tempfile::TempDir;

const DATA_DIR: &str = "STORE_TEST_DATA_DIR";
const NUMBER: &str = "STORE_TEST_NUMBER";
const PROCESSES: usize = 50;
const KEYS: usize = 20;
const COUNT: &str = "count";

/// Starts `child` as a process that begins when `start` ends.
fn spawn(child: &str, data_dir: &Path, number: usize, start: io::PipeReader) -> Child {
    Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", child, "--test-threads=1"])
        .env(DATA_DIR, data_dir)
        .env(NUMBER, number.to_string())
        .stdin(start)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started")
}

/// Starts [`PROCESSES`] processes at once. All must succeed.
fn all_at_once(child: &str, data_dir: &Path) {
    let (start, go) = io::pipe().expect("a pipe");
    let children: Vec<_> = (0..PROCESSES)
        .map(|number| spawn(child, data_dir, number, start.try_clone().expect("a copy")))
        .collect();
    drop(go);
    for child in children {
        let output = child.wait_with_output().expect("ended");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Returns the directory and the number of a child, when all children are ready.
fn job() -> Option<(PathBuf, usize)> {
    let data_dir = env::var_os(DATA_DIR)?.into();
    let number = env::var(NUMBER).ok()?.parse().ok()?;
    io::stdin().read_to_end(&mut Vec::new()).expect("the start");
    Some((data_dir, number))
}

/// Opens a store with a key file, whatever key sources the machine has.
fn open(data_dir: &Path) -> Store {
    Store::open(Place::from(data_dir).key_source(KeySource::KeyFile)).expect("a store")
}

fn address(provider: &str) -> Address {
    Address::default_profile(provider.parse().expect("a name"))
}

#[test]
fn child_stores_keys() {
    let Some((data_dir, number)) = job() else { return };
    for n in 0..KEYS {
        let mut store = open(&data_dir);
        let key = Credential::api_key(format!("key-{number}-{n}"));
        store.put(&address(&format!("p{number}-{n}")), &key, &Metadata::default()).expect("stored");
    }
}

/// Neither the database nor its directory exists when they start.
#[test]
fn fifty_processes_store_twenty_keys_each_at_once() {
    let directory = TempDir::new().expect("a directory");
    let data_dir = directory.path().join("data");
    all_at_once("child_stores_keys", &data_dir);
    let store = Store::open_existing(&data_dir).expect("readable").expect("there");
    assert_eq!(store.list(None).expect("listed").len(), PROCESSES * KEYS);
    assert_eq!(store.check().expect("checked"), Vec::<String>::new());
    let record = store.get(&address("p49-19")).expect("readable").expect("there");
    assert_eq!(record.credential, Credential::api_key("key-49-19"));
    let left = fs::read_dir(&data_dir).expect("a directory").map(|e| e.expect("an entry").file_name());
    let is_ours = |name: &str| name.starts_with(FILE_NAME) || name == "store.key";
    assert!(left.into_iter().all(|name| is_ours(&name.to_string_lossy())));
}

#[test]
fn child_swaps() {
    let Some((data_dir, _)) = job() else { return };
    let mut store = open(&data_dir);
    for _ in 0..KEYS {
        let mut seen = store.get(&address("shared")).expect("readable").expect("there");
        loop {
            let Credential::Fields(mut count) = seen.credential else { panic!("a count") };
            let next = count[COUNT].expose().parse::<usize>().expect("a number") + 1;
            count.insert(COUNT.to_owned(), next.to_string().into());
            let next = Credential::Fields(count);
            match store.swap(&seen.address, seen.version, &next, &Metadata::default()).expect("swap") {
                Swap::Swapped(_) => break,
                Swap::Lost(there) => seen = there.expect("there"),
            }
        }
    }
}

/// The credential is a counter, and no step is lost.
#[test]
fn concurrent_swaps_have_one_winner_each_time() {
    let directory = TempDir::new().expect("a directory");
    let count = |n: usize| Credential::Fields([(COUNT.to_owned(), n.to_string().into())].into());
    let mut store = open(directory.path());
    store.put(&address("shared"), &count(0), &Metadata::default()).expect("stored");
    let (start, go) = io::pipe().expect("a pipe");
    let children: Vec<_> = (0..4)
        .map(|number| spawn("child_swaps", directory.path(), number, start.try_clone().expect("a copy")))
        .collect();
    drop(go);
    for child in children {
        assert!(child.wait_with_output().expect("ended").status.success());
    }
    let record = store.get(&address("shared")).expect("readable").expect("there");
    assert_eq!(record.credential, count(4 * KEYS));
}

/// SQLite's locks belong to the process: a thread that opens and closes a store must not drop those of another.
#[test]
fn threads_with_stores_of_their_own_do_not_drop_each_others_locks() {
    let directory = TempDir::new().expect("a directory");
    let mut store = open(directory.path());
    store.put(&address("first"), &Credential::api_key("1"), &Metadata::default()).expect("stored");
    drop(open(directory.path()));
    thread::scope(|scope| {
        for n in 0..8 {
            let data_dir = directory.path();
            scope.spawn(move || {
                for k in 0..KEYS {
                    let mut store = open(data_dir);
                    let at = address(&format!("t{n}-{k}"));
                    store.put(&at, &Credential::api_key("k"), &Metadata::default()).expect("stored");
                }
            });
        }
    });
    assert_eq!(store.list(None).expect("listed").len(), 1 + 8 * KEYS);

    // Another process still sees our locks on the database.
    let (start, go) = io::pipe().expect("a pipe");
    let child = spawn("child_finds_it_locked", directory.path(), 0, start);
    drop(go);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn child_finds_it_locked() {
    let Some((data_dir, _)) = job() else { return };
    let file = fs::File::options().read(true).write(true).open(data_dir.join(FILE_NAME)).expect("opened");
    let all_of_it = rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    assert!(all_of_it.is_err(), "nobody seems to have it open");
}

#[test]
fn child_makes_files() {
    let Some((data_dir, _)) = job() else { return };
    let mut store = open(&data_dir);
    store.put(&address("codex"), &Credential::api_key("k"), &Metadata::default()).expect("stored");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&data_dir), 0o700);
    assert_eq!(data_dir.parent().map(mode), Some(0o700));
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&data_dir.join(format!("{FILE_NAME}{suffix}"))), 0o600, "{suffix}");
    }
}

#[test]
fn files_are_closed_to_others_whatever_the_umask() {
    for umask in ["000", "027", "077"] {
        let directory = TempDir::new().expect("a directory");
        let status = Command::new("sh")
            .args(["-c", r#"umask "$1"; exec "$2" --exact child_makes_files"#, "sh", umask])
            .arg(env::current_exe().expect("this binary"))
            .env(DATA_DIR, directory.path().join("made/data"))
            .env(NUMBER, "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("ran").success(), "umask {umask}");
    }
}
