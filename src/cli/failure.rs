//! From an error to a message, a hint and an exit code.

use std::{fmt, process::ExitCode};

use authenticate::{Error, exit};

use super::output;

/// A wrong command line: exit code 2, and nothing was attempted.
#[derive(Debug)]
pub struct Usage {
    message: String,
    hint: Option<String>,
}

impl Usage {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Usage {}

/// Something that was reported already, with its exit code.
#[derive(Debug)]
pub struct Reported(pub u8);

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl std::error::Error for Reported {}

/// Prints an error with its causes and what to do next.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(Reported(code)) = error.downcast_ref() {
        return ExitCode::from(*code);
    }
    let (code, hint) = match (error.downcast_ref::<Error>(), error.downcast_ref::<Usage>()) {
        (Some(error), _) => (error.exit_code(), error.hint()),
        (None, Some(usage)) => (exit::USAGE, usage.hint.clone()),
        (None, None) if is_broken_pipe(error) => return ExitCode::from(exit::DONE),
        (None, None) => (exit::FAILED, None),
    };
    if code != exit::INTERRUPTED {
        output::error(&chain(error));
        if let Some(hint) = hint {
            output::hint(&hint);
        }
    }
    ExitCode::from(code)
}

/// The error and its causes, each once: some messages include their cause already.
pub fn chain(error: &anyhow::Error) -> String {
    join(error.chain().map(ToString::to_string))
}

/// The same of an error's words and those of its causes.
pub fn join(causes: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for cause in causes {
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// Whoever read our output has seen enough.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
