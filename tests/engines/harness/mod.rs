//! An engine and a user of it, a home for the program there, and stand-ins for the vendors.

pub mod acme;
pub mod home;
pub mod place;
pub mod pod;
pub mod port;
pub mod programs;

pub use acme::acme;
pub use home::Home;
pub use place::Place;
pub use pod::Pod;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// Runs a command that has to succeed; its standard output, trimmed.
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
    text
}

/// Sets the mode of a file or directory.
pub fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}
