//! Logins in real containers, on real engines: the program as a person would run it, against stand-ins for the vendors.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod harness;

mod canary;
mod claude_renewal;
mod codex_browser;
mod codex_device;
mod doctor;
mod elsewhere;
mod endings;
mod full_disk;
mod gh;
mod hostile_files;
mod images;
mod isolation;
mod no_engine;
mod output;
mod proxy;
mod redirect;
mod renewal;
mod terminal;
mod two_logins;
mod ways;
