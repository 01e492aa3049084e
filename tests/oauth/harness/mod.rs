//! What the tests stand on: a home, a real OAuth server, a server that does what it is told, a browser.

pub mod chromium;
#[path = "../../cli/harness.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the command line")]
mod home;
pub mod login;
#[allow(dead_code, reason = "shared with the tests of renewing")]
pub mod server;
pub mod stub;

pub use home::*;
pub use login::Login;
pub use server::Server;
pub use stub::{Stub, json_reply, reply};

use authenticate::{
    credential::{Address, OAuth, Record},
    store::Store,
};

/// No test waits longer for anything.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// The exit codes that logins have beside those of the command line's tests.
pub mod exit {
    pub use authenticate::exit::{BUSY, LOGIN_FAILED, UNREACHABLE};
}

/// A provider of the user's own.
pub fn describe(home: &Home, name: &str, yaml: &str) {
    home.write(&format!("config/providers/{name}.yaml"), &format!("name: {name}\nlabel: {name}\n{yaml}\n"));
}

/// What is stored of a provider, by `PROVIDER` or `PROVIDER:PROFILE`.
pub fn record(home: &Home, target: &str) -> Option<Record> {
    let (provider, profile) = target.split_once(':').unwrap_or((target, "default"));
    let address = Address { profile: name(profile), ..Address::default_profile(name(provider)) };
    if !home.database().exists() {
        return None;
    }
    Store::open(&home.data()).expect("a store").get(&address).expect("readable")
}

/// The tokens that are stored.
#[track_caller]
pub fn tokens(home: &Home, target: &str) -> (OAuth, Record) {
    let record = record(home, target).expect("a record");
    match &record.credential {
        authenticate::credential::Credential::OAuth(oauth) => (oauth.clone(), record),
        other => panic!("{other:?}"),
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
