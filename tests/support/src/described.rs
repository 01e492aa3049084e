//! A provider of the user's own, and its record.

use authenticate::{
    credential::{Address, OAuth, Record},
    store::Store,
};

use crate::{Home, name};

/// A provider of the user's own.
pub fn describe(home: &Home, name: &str, yaml: &str) {
    home.write(&format!("config/providers/{name}.yaml"), &format!("name: {name}\nlabel: {name}\n{yaml}\n"));
}

/// The record of a provider, by `PROVIDER` or `PROVIDER:PROFILE`.
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
