//! Sweeping the leftovers of killed logins, and only those.

use std::{
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{MetadataExt as _, PermissionsExt as _, symlink},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use test_support::{Home, KEY, code};

const LOGIN: &str = "ABCDEF0123456789";
/// Nothing listens there.
const NOBODY: &str = "unix:///nonexistent/engine.sock";

/// A directory of logins with one that was killed: its lock and a file with a secret in it.
fn killed(logins: &Path, engine: Option<&str>) -> PathBuf {
    fs::create_dir_all(logins.join(LOGIN).join("files")).expect("made");
    fs::write(logins.join(LOGIN).join("files/auth.json"), "secret").expect("written");
    let lock = logins.join("default~codex~default.lock");
    let file = File::create(&lock).and_then(|file| file.metadata()).expect("made");
    let record = serde_json::json!({
        "pid": 1, "since": "2026-01-01T00:00:00Z", "login": LOGIN, "engine": engine,
        "file": [file.dev(), file.ino()],
    });
    fs::write(&lock, record.to_string()).expect("written");
    mode(&lock, 0o600);
    lock
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

fn logins(home: &Home) -> PathBuf {
    let logins = home.data().join("logins");
    fs::create_dir_all(&logins).expect("made");
    mode(&home.data(), 0o700);
    mode(&logins, 0o700);
    logins
}

fn old(path: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(path).expect("opened").set_modified(hour_ago).expect("set");
}

#[test]
fn a_killed_login_is_cleaned_up() {
    let home = Home::new();
    let logins = logins(&home);
    killed(&logins, None);
    home.authenticate(["projects"]).exits(code::DONE);
    assert_eq!(fs::read_dir(&logins).expect("read").count(), 0);
}

/// A container may leave what it wants to. Such a path is too long for any call, and no process has so many descriptors.
#[test]
fn killed_logins_deep_directory_is_removed() {
    let home = Home::new();
    let logins = logins(&home);
    killed(&logins, None);
    let mut directory = OwnedFd::from(File::open(logins.join(LOGIN).join("files")).expect("opened"));
    for depth in 0..5000 {
        for name in ["deeper", "empty", "removed-7"] {
            mkdirat(&directory, name, Mode::RWXU).expect("made");
        }
        directory = openat(&directory, "deeper", OFlags::DIRECTORY, Mode::empty()).expect("opened");
        if depth % 100 == 0 {
            openat(&directory, "auth.json", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).expect("written");
        }
    }
    home.authenticate(["projects"]).with_descriptors(32).exits(code::DONE);
    assert_eq!(fs::read_dir(&logins).expect("read").count(), 0);
}

#[test]
fn killed_logins_unreadable_directory_is_removed() {
    let home = Home::new();
    let logins = logins(&home);
    killed(&logins, None);
    let files = logins.join(LOGIN).join("files");
    fs::create_dir_all(files.join("closed/deeper/still")).expect("made");
    fs::write(files.join("closed/deeper/still/auth.json"), "secret").expect("written");
    for (path, to) in [("closed/deeper/still", 0o500), ("closed/deeper", 0o300), ("closed", 0), ("", 0o400)] {
        mode(&files.join(path), to);
    }
    home.authenticate(["projects"]).without_privileges().exits(code::DONE);
    assert_eq!(fs::read_dir(&logins).expect("read").count(), 0);
}

#[test]
fn link_in_place_of_the_directory_is_not_followed() {
    let home = Home::new();
    let elsewhere = home.path().join("elsewhere");
    let lock = killed(&elsewhere, None);
    logins(&home);
    fs::remove_dir(home.data().join("logins")).expect("removed");
    symlink(&elsewhere, home.data().join("logins")).expect("a link");
    home.authenticate(["projects"]).exits(code::DONE);
    assert!(lock.exists() && elsewhere.join(LOGIN).exists());
}

#[test]
fn record_that_others_could_have_written_is_ignored() {
    for open in ["data", "data/logins", "data/logins/default~codex~default.lock"] {
        let home = Home::new();
        let lock = killed(&logins(&home), None);
        let open = home.path().join(open);
        mode(&open, fs::metadata(&open).expect("there").permissions().mode() | 0o022);
        home.authenticate(["projects"]).exits(code::DONE);
        assert!(lock.exists() && home.data().join("logins").join(LOGIN).exists(), "{}", open.display());
    }
}

#[test]
fn missing_engine_is_reported_only_by_commands_that_use_one() {
    let home = Home::new();
    let logins = logins(&home);
    let lock = killed(&logins, Some(NOBODY));
    home.authenticate(["status"]).exits(code::DONE).does_not_say("clean up");
    assert!(!logins.join(LOGIN).exists(), "the secrets go");
    let record = logins.join(format!("{LOGIN}.lock"));
    assert!(record.exists() && !lock.exists(), "the record stays, and is in no login's way");
    let outcome = home.authenticate(["doctor"]).ends();
    for said in [
        "could not clean up after a login",
        NOBODY,
        "if that engine is gone for good, remove",
        record.to_str().unwrap(),
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome:#?}");
    }
    assert!(!outcome.stderr.contains("killed"), "{outcome:#?}");
}

#[test]
fn record_of_a_killed_login_blocks_no_login() {
    let home = Home::new();
    let logins = logins(&home);
    killed(&logins, Some(NOBODY));
    home.authenticate(["demo", "codex", "--mode", "oauth"]).exits(code::ENGINE);
    assert!(logins.join(format!("{LOGIN}.lock")).exists(), "the dead login is remembered");
}

#[test]
fn unfinished_database_is_removed() {
    let home = Home::new();
    logins(&home);
    let (stale, fresh) =
        (home.data().join(".credentials-abc123.new"), home.data().join(".credentials-def456.new"));
    for file in [&stale, &fresh] {
        fs::write(file, "half").expect("written");
        mode(file, 0o600);
    }
    old(&stale);
    home.stores("openai", KEY);
    assert!(!stale.exists());
    assert!(fresh.exists(), "somebody may be making it");
}

/// Every command makes an attempt, and waits no longer than that.
#[test]
fn silent_engine_delays_no_command() {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let _silent = UnixListener::bind(&socket).expect("bound");
    let logins = logins(&home);
    killed(&logins, Some(&format!("unix://{}", socket.display())));
    let begun = Instant::now();
    home.authenticate(["projects"]).exits(code::DONE).does_not_say("clean up");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(!logins.join(LOGIN).exists() && logins.join(format!("{LOGIN}.lock")).exists());
}
