//! The message, hint and exit code of an error.

use std::{fmt, process::ExitCode};

use authenticate::{
    ConfigError, EngineError, Error, ErrorKind, HeadersError, LoginError, LogoutError, PathsError,
    RefreshError, ResolveError, StoreError, context::Context, credential::NameError,
};

use super::{exit, hints::Hints, output};

/// An error of the command line itself. By default invalid usage: nothing was attempted.
#[derive(Debug)]
pub struct Usage {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Usage {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: exit::USAGE }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Usage {}

/// A failure that was reported already, with its exit code.
#[derive(Debug)]
pub struct Reported(pub u8);

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl std::error::Error for Reported {}

/// Prints an error with its causes and a hint, and returns its exit code.
pub fn report(error: &anyhow::Error, context: Option<&Context>) -> ExitCode {
    if let Some(Reported(code)) = error.downcast_ref() {
        return ExitCode::from(*code);
    }
    if known(error).is_none() && error.downcast_ref::<Usage>().is_none() && is_broken_pipe(error) {
        return ExitCode::from(exit::DONE);
    }
    let code = code(error);
    if code != exit::INTERRUPTED {
        output::error(&chain(error));
        if let Some(hint) = hint(error, context) {
            output::hint(&hint);
        }
    }
    ExitCode::from(code)
}

/// The exit code of an error.
pub fn code(error: &anyhow::Error) -> u8 {
    match (known(error), error.downcast_ref::<Usage>(), error.downcast_ref::<Reported>()) {
        (Some(known), ..) => exit::code(known.kind()),
        (None, Some(usage), _) => usage.code,
        (None, None, Some(Reported(code))) => *code,
        (None, None, None) => exit::FAILED,
    }
}

/// The hint for an error, if there is one.
pub fn hint(error: &anyhow::Error, context: Option<&Context>) -> Option<String> {
    match (known(error), error.downcast_ref::<Usage>()) {
        (Some(known), _) => known.hint(&Hints::new(context)),
        (None, usage) => usage.and_then(|usage| usage.hint.clone()),
    }
}

/// An error of the library, by its type.
enum Known<'a> {
    Any(&'a Error),
    Config(&'a ConfigError),
    Engine(&'a EngineError),
    Login(&'a LoginError),
    Logout(&'a LogoutError),
    Refresh(&'a RefreshError),
    Resolve(&'a ResolveError),
    Store(&'a StoreError),
    /// Invalid input, without a hint.
    Input,
}

fn known(error: &anyhow::Error) -> Option<Known<'_>> {
    let input = error.is::<NameError>() || error.is::<PathsError>() || error.is::<HeadersError>();
    (error.downcast_ref().map(Known::Any))
        .or_else(|| error.downcast_ref().map(Known::Config))
        .or_else(|| error.downcast_ref().map(Known::Engine))
        .or_else(|| error.downcast_ref().map(Known::Login))
        .or_else(|| error.downcast_ref().map(Known::Logout))
        .or_else(|| error.downcast_ref().map(Known::Refresh))
        .or_else(|| error.downcast_ref().map(Known::Resolve))
        .or_else(|| error.downcast_ref().map(Known::Store))
        .or(input.then_some(Known::Input))
}

impl Known<'_> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Any(error) => error.kind(),
            Self::Config(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Login(error) => error.kind(),
            Self::Logout(error) => error.kind(),
            Self::Refresh(error) => error.kind(),
            Self::Resolve(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Input => ErrorKind::InvalidInput,
        }
    }

    fn hint(&self, hints: &Hints<'_>) -> Option<String> {
        match self {
            Self::Any(error) => hints.any(error),
            Self::Config(error) => hints.config(error),
            Self::Engine(error) => hints.engine(error),
            Self::Login(error) => hints.login(error),
            Self::Logout(error) => hints.logout(error),
            Self::Refresh(error) => hints.refresh(error),
            Self::Resolve(error) => hints.resolve(error),
            Self::Store(_) | Self::Input => None,
        }
    }
}

/// An error and its causes, each once: some messages include their cause already.
pub fn chain(error: &anyhow::Error) -> String {
    join(error.chain().map(ToString::to_string))
}

/// Joins the messages of an error and of its causes, each once.
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

/// Whether the reader closed our output.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
