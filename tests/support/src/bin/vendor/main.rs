#![doc = include_str!("help.txt")]

mod callback;
mod files;
mod look;
mod run;
mod script;
mod signals;
mod step;
mod text;

use std::process::ExitCode;
use std::sync::Arc;

/// Why the program ends before the end of its script.
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(1, error.to_string())
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Self {
        std::io::Error::from(error).into()
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--help") {
        print!("{}", include_str!("help.txt"));
        return ExitCode::SUCCESS;
    }
    let outcome = script::load().and_then(|steps| {
        let vendor = Arc::new(run::Vendor::new());
        steps.iter().try_for_each(|line| vendor.run(line))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vendor: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
