//! The library by itself: what a program can do without the command line.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod script;

mod client;
mod functions;
mod given;
mod provider;
