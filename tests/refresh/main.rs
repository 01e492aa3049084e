//! Refreshing and revoking, against a token endpoint that rotates refresh tokens and takes one that comes twice for a
//! theft.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod answers;
mod asynchronous;
mod client;
mod configuration;
mod crowd;
mod killed;
mod leaving;
mod one_word;
mod opened;
mod outcomes;
mod postponed;
mod recorded;
mod replaced;
mod restored;
mod set_aside;
mod undisturbed;
mod unstored;
mod verb;
