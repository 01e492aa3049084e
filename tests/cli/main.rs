//! The command line as people and scripts meet it: the real program, an empty environment, a home of its own.
//! None of it needs a container engine.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod harness;
mod pty;
mod ring;

mod addresses;
mod api_key;
mod backups;
mod canary;
mod damaged;
mod data_directory;
mod distrust;
mod doctor;
mod engine;
mod escapes;
mod facts;
mod fake_engine;
mod forwarded;
mod generated;
mod import;
mod key_source;
mod killed;
mod killed_store;
mod kinds;
mod leftovers;
mod locked_store;
mod log;
mod logout;
mod modes;
mod odd_files;
mod old_key_files;
mod output;
mod pasted_keys;
mod projects;
mod providers;
mod questions;
mod resolution;
mod silent_engine;
mod silent_renewal;
mod status;
mod store;
mod store_verbs;
mod token;
mod usage;
mod vendor_cli;
mod wrong_files;
