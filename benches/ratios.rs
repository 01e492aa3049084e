//! Whole-process ratios against tools that anyone has: `cargo bench --bench ratios`, or only some rows of it by
//! name: `cargo bench --bench ratios -- token store`.
//!
//! Each figure is the median of pairs that were run in turn (ours, theirs, theirs, ours, ..), so that neither a machine
//! whose speed drifts matters, nor what one leaves to be done for the other. Needs the `sqlite3` shell; the login is
//! measured where Docker answers.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use authenticate::{
    credential::{Address, Credential, Metadata, Name, Record},
    store::{KeySource, Place, Store},
};

const BUILT: &str = env!("CARGO_BIN_EXE_authenticate");
const IMAGE: &str = "docker.io/library/debian:bookworm-slim";

/// The name of a row, and what measures it.
type Row = (&'static str, fn(&Path));

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, command @ ..] = arguments.as_slice()
        && flag == "--peak-memory-of"
    {
        return print_peak_memory(command);
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    install(place.path());
    let rows: [Row; 5] = [
        ("token", token),
        ("store", store_key),
        ("store-many", store_key_among_many),
        ("status", status),
        ("login", login),
    ];
    let named: Vec<_> = arguments.iter().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (_, row) in rows.iter().filter(|(name, _)| named.is_empty() || named.iter().any(|word| word == name))
    {
        row(place.path());
    }
}

/// A copy, as any installation is one. What a linker has written stays in small pieces in the page cache, so it starts
/// about a millisecond later; the `sqlite3` shell was not linked just now, either.
fn install(place: &Path) {
    std::fs::copy(BUILT, place.join("authenticate")).expect("copied");
}

fn ours(place: &Path, data: &str, words: &[&str]) -> Command {
    let mut command = Command::new(place.join("authenticate"));
    command.args(words).env("AUTHENTICATE_CONFIG_DIR", place.join("config"));
    command.env("AUTHENTICATE_DATA_DIR", place.join(data)).stdin(Stdio::null());
    command
}

/// A store of so many keys, sealed with a key file.
fn fill(place: &Path, data: &str, count: usize) {
    let store = Store::open(Place::from(&place.join(data)).key_source(KeySource::KeyFile)).expect("a store");
    let record = |index: usize| Record {
        address: Address::default_profile(format!("p{index}").parse::<Name>().expect("a name")),
        credential: Credential::api_key(format!("sk-{index:032}").as_str()),
        metadata: Metadata::default(),
        created_at: jiff::Timestamp::now(),
        updated_at: jiff::Timestamp::now(),
        version: 0,
    };
    store.replace_all(&(0..count).map(record).collect::<Vec<_>>()).expect("stored");
}

fn token(place: &Path) {
    fill(place, "token", 10);
    let query = "select secret from credential where provider='p5' and credential_set='default' and profile='default'";
    let database = place.join("token/credentials.db");
    let (ratio, time) = pairs(
        40,
        || run(&mut ours(place, "token", &["token", "demo", "p5"])),
        || run(Command::new("sqlite3").arg(&database).arg(query)),
    );
    let memory = peak_memory(&mut ours(place, "token", &["token", "demo", "p5"]));
    println!("token / sqlite3 reading the row: {ratio:.2}x ({time:?}, peak memory {memory} kB); aim 1.5x");
    fill(place, "token-many", 100_000);
    let (ratio, time) = pairs(
        40,
        || run(&mut ours(place, "token-many", &["token", "demo", "p5"])),
        || run(&mut ours(place, "token", &["token", "demo", "p5"])),
    );
    println!("token with 100,000 records / with 10: {ratio:.2}x ({time:?}); aim 1.1x");
}

fn store_key(place: &Path) {
    fill(place, "store", 10);
    let database = place.join("plain.db");
    run(Command::new("sqlite3").arg(&database).arg("pragma journal_mode=wal; create table t(a, b)"));
    let (ratio, time) = pairs(
        40,
        || store_once(place, "store"),
        || {
            run(Command::new("sqlite3")
                .arg(&database)
                .arg("insert into t values('openai', 'sk-0123456789abcdef')"))
        },
    );
    println!("storing a key / sqlite3 inserting it: {ratio:.2}x ({time:?}); aim 1.5x");
}

fn store_key_among_many(place: &Path) {
    fill(place, "store-many", 100_000);
    fill(place, "store-few", 10);
    let (ratio, time) = pairs(40, || store_once(place, "store-many"), || store_once(place, "store-few"));
    println!("storing a key with 100,000 records / with 10: {ratio:.2}x ({time:?}); aim 1.2x");
}

/// Stores a key, which from the second time on replaces the one that is there.
fn store_once(place: &Path, data: &str) -> Duration {
    let key = place.join("key");
    if !key.exists() {
        std::fs::write(&key, "sk-0123456789abcdef0123456789abcdef0123456789abcdef").expect("written");
    }
    let key = key.to_str().expect("text");
    run(&mut ours(place, data, &["demo", "openai", "--api-key-file", key]))
}

fn status(place: &Path) {
    fill(place, "few", 10);
    fill(place, "many", 10_000);
    let many = median(20, || run(&mut ours(place, "many", &["status"])));
    let few = median(20, || run(&mut ours(place, "few", &["status"])));
    let more = many.saturating_sub(few);
    println!("status of 10,000 records / of 10: {many:?} / {few:?}, {more:?} more; aim 50 ms more");
}

fn login(place: &Path) {
    let present = Command::new("docker").args(["image", "inspect", IMAGE]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        println!("login: skipped, Docker or {IMAGE} is not there");
        return;
    }
    let providers = place.join("config/providers");
    std::fs::create_dir_all(&providers).expect("created");
    let descriptor = "modes: [oauth]\nhost_dir_name: _x\ncontainer_mount: /home/dev/.x\ncommand: [/bin/true]\n\
                      image: {name: x}\ncapture: [{file: a.json, format: json, kind: token, fields: {token: /a}}]\n";
    std::fs::write(providers.join("exits.yaml"), descriptor).expect("written");
    let words = ["demo", "exits", "--image", IMAGE, "--engine", "docker"];
    let uid = format!("{}", rustix::process::geteuid().as_raw());
    let docker = ["run", "--rm", "--user", &uid, IMAGE, "/bin/true"];
    let (ratio, time) = pairs(
        151,
        || time(without_bundle(&mut ours(place, "login", &words))),
        || time(Command::new("docker").args(docker).stdin(Stdio::null())),
    );
    let memory = peak_memory(without_bundle(&mut ours(place, "login", &words)));
    println!(
        "login of a CLI that exits at once / docker run --rm: {ratio:.2}x ({time:?}, peak memory {memory} kB); aim 1.0x"
    );
}

/// A bundle of certificates is copied into the container, which the other side would not do.
fn without_bundle(command: &mut Command) -> &mut Command {
    for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        command.env(name, "");
    }
    command
}

/// Runs both in turn, each of them first in every second pair; the median of the ratios, and the median time of the first.
fn pairs(count: usize, ours: impl Fn() -> Duration, theirs: impl Fn() -> Duration) -> (f64, Duration) {
    ours();
    theirs();
    let pair = |index| match index % 2 {
        0 => (ours(), theirs()),
        _ => {
            let theirs = theirs();
            (ours(), theirs)
        }
    };
    let times: Vec<(Duration, Duration)> = (0..count).map(pair).collect();
    let mut ratios: Vec<f64> = times.iter().map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let mut times: Vec<Duration> = times.into_iter().map(|(a, _)| a).collect();
    times.sort();
    (ratios[count / 2], times[count / 2])
}

fn median(count: usize, run: impl Fn() -> Duration) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..count).map(|_| run()).collect();
    times.sort();
    times[count / 2]
}

fn run(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stderr(Stdio::piped()).output().expect("started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}

/// For commands that are meant to end in an error.
fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    command.output().expect("started");
    start.elapsed()
}

/// Peak memory in kB, asked of a process of its own, because the system keeps one maximum for all children.
fn peak_memory(command: &mut Command) -> u64 {
    let mut asked = Command::new(std::env::current_exe().expect("this program"));
    asked.arg("--peak-memory-of").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        asked.env(name, value.unwrap_or_default());
    }
    let output = asked.stdin(Stdio::null()).output().expect("started");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default()
}

fn print_peak_memory(command: &[String]) {
    let _ =
        Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    println!("{}", test_support::peak_memory_of_children());
}
