//! The command line as people and scripts meet it: the real program, an empty environment, a home of its own.
//! None of it needs a container engine.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod addresses;
mod api_key;
mod background;
mod backups;
mod canary;
mod config_permissions;
mod damaged;
mod data_directory;
mod doctor;
mod engine;
mod engine_detection;
mod escapes;
mod generated;
mod import;
mod import_choice;
mod key_source;
mod killed;
mod killed_store;
mod kinds;
mod locked_store;
mod log;
mod logout;
mod modes;
mod old_key_files;
mod output;
mod pasted_keys;
mod port_forward;
mod projects;
mod providers;
mod questions;
mod resolution;
mod silent_engine;
mod silent_refresh;
mod status;
mod store;
mod store_verbs;
mod sweep;
mod token;
mod unusual_files;
mod unwritable;
mod usage;
mod vendor_cli;
mod wrong_files;
