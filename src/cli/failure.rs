//! The message, hint and exit code of an error.

use std::{error::Error as StdError, fmt, process::ExitCode};

use authenticate::{
    ConfigError, EngineError, Error, LoginError, LogoutError, PathsError, RefreshError, ResolveError,
    StoreError, context::Context, credential::NameError,
};

use super::{exit, hints::Hints, output};

/// A failure as it is reported.
#[derive(Debug)]
pub struct Failure {
    /// The message; empty if it was reported already.
    pub message: String,
    pub hint: Option<String>,
    pub code: u8,
}

impl Failure {
    /// Invalid usage: nothing was attempted.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: exit::USAGE }
    }

    /// A failure that was reported already.
    pub fn reported(code: u8) -> Self {
        Self { message: String::new(), hint: None, code }
    }

    /// Any error, with the hint for the project of a context.
    pub fn of(error: anyhow::Error, context: Option<&Context>) -> Self {
        let message = chain(error.as_ref());
        let is_broken_pipe = is_broken_pipe(&error);
        match error.downcast().map_err(library_error) {
            Ok(own) => own,
            Err(Ok(error)) => {
                let hint = context.and_then(|context| Hints(context).any(&error));
                Self { message, hint, code: exit::code(error.kind()) }
            }
            Err(Err(_)) if is_broken_pipe => Self::reported(exit::DONE),
            Err(Err(_)) => Self { message, hint: None, code: exit::FAILED },
        }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Prints the message and the hint, unless the failure was reported already, and returns the exit code.
    pub fn report(&self) -> ExitCode {
        if !self.message.is_empty() && self.code != exit::INTERRUPTED {
            output::error(&self.message);
            self.hint.iter().for_each(|hint| output::hint(hint));
        }
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Failure {}

/// The library's error in an error, as one type.
fn library_error(error: anyhow::Error) -> Result<Error, anyhow::Error> {
    fn of<E: StdError + Into<Error> + Send + Sync + 'static>(
        error: anyhow::Error,
    ) -> Result<Error, anyhow::Error> {
        error.downcast::<E>().map(Into::into)
    }
    of::<Error>(error)
        .or_else(of::<ConfigError>)
        .or_else(of::<EngineError>)
        .or_else(of::<LoginError>)
        .or_else(of::<LogoutError>)
        .or_else(of::<NameError>)
        .or_else(of::<PathsError>)
        .or_else(of::<RefreshError>)
        .or_else(of::<ResolveError>)
        .or_else(of::<StoreError>)
}

/// An error and its causes, each once: some messages include their cause already.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in anyhow::Chain::new(error).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// Whether the reader closed our output.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
