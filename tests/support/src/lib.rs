//! Shared parts of the integration tests: a home for the program, its runs, terminals, and servers to talk to.

pub mod chromium;
pub mod code;
mod described;
pub mod fake_engine;
mod home;
mod http;
pub mod issuer;
pub mod key_ring;
pub mod killed;
pub mod login;
pub mod one_key;
pub mod openid;
mod programs;
pub mod pty;
pub mod refresh;
mod run;
pub mod running;
mod server;
pub mod stand_in;
pub mod stub;
pub mod tty;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use authenticate::credential::Name;
use serde_json::Value;

pub use described::{describe, record, tokens};
pub use home::Home;
pub use issuer::Issuer;
pub use login::Login;
pub use openid::{OpenId, assert_reuse_ends_a_login};
pub use programs::{program, program_path};
pub use run::{Outcome, Run};
pub use running::{Ended, Running};
pub use server::Server;
pub use stub::{Stub, json_reply, reply};

/// An invented key that matches OpenAI's pattern and is recognised wherever it turns up.
pub const KEY: &str = "sk-CANARY-0123456789-abcdefghij";
/// The part of [`KEY`] that must not be seen.
pub const CANARY: &str = "CANARY";
/// The longest time that a test waits for anything.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Parses JSON.
#[track_caller]
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Parses a name.
pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// Lists every file below a directory, links included, without following any.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => files.extend(files_below(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files.sort();
    files
}

/// Waits for a condition, which must come about.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The most memory that a child of this process has used, in kB.
pub fn peak_memory_of_children() -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage").max_rss()
}

/// A runtime of one thread.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
