//! The interface through which the library asks the person and shows them events.

mod typed_lines;

use std::{any::Any, io, time::Duration};

use tokio::{
    io::AsyncWrite,
    sync::{mpsc, watch},
};

use crate::{
    credential::Secret,
    provider::{Descriptor, Mode, descriptor::Field},
};

pub use typed_lines::{Typed, TypedLines};

/// A user interface. The command line implements it with a terminal, a test with a script.
pub trait Ui: Send + Sync {
    /// Chooses among the modes of a provider that has several.
    ///
    /// # Errors
    /// [`UiError`] if there is nobody to ask.
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError>;

    /// Asks for a secret, without showing the typed text.
    ///
    /// # Errors
    /// [`UiError`] if there is nobody to ask.
    fn ask_secret(&self, prompt: &str, hint: Option<&str>) -> Result<Secret, UiError>;

    /// Asks for one field of a credential, without showing the typed text of a secret field. The answer may be blank if the
    /// field has an environment variable.
    ///
    /// # Errors
    /// [`UiError`] if there is nobody to ask.
    fn ask_field(&self, question: &FieldQuestion<'_>) -> Result<Secret, UiError> {
        self.ask_secret(&format!("{} for {}", question.field.label, question.provider), None)
    }

    /// Shows an event.
    fn show(&self, event: Event<'_>);

    /// The streams and the terminal for a vendor's CLI.
    ///
    /// # Errors
    /// If the terminal cannot be used.
    fn console(&self) -> io::Result<Console>;

    /// Whether the person's browser can reach the loopback interface of this machine.
    fn browser_can_return(&self) -> bool;

    /// The lines that the person types or pastes from now on; `None` if there is nobody.
    fn lines(&self) -> Option<Lines> {
        None
    }
}

/// A question for one field of a credential.
#[derive(Clone, Copy, Debug)]
pub struct FieldQuestion<'a> {
    /// The provider's label.
    pub provider: &'a str,
    /// The field's name.
    pub name: &'a str,
    /// The field's descriptor.
    pub field: &'a Field,
}

/// A user interface without a person: every question fails, and nothing is shown. For programs that give all input
/// beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Ui for Nobody {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
        let text = format!(
            "{} has several modes, and there is nobody to ask: name one of {}",
            provider.name,
            modes.join(", ")
        );
        Err(UiError::NoOneToAsk(text))
    }

    fn ask_secret(&self, prompt: &str, _: Option<&str>) -> Result<Secret, UiError> {
        Err(UiError::NoOneToAsk(format!("{prompt}: not given, and there is nobody to ask")))
    }

    fn show(&self, _: Event<'_>) {}

    fn console(&self) -> io::Result<Console> {
        let (output, errors) = (Box::new(tokio::io::sink()), Box::new(tokio::io::sink()));
        Ok(Console { input: None, output, errors, terminal: None })
    }

    fn browser_can_return(&self) -> bool {
        false
    }
}

/// The failure of a question.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// There is nobody to ask; the text says what is missing.
    #[error("{0}")]
    NoOneToAsk(String),
    /// The person cancelled the question.
    #[error("interrupted")]
    Interrupted,
    /// The answer is invalid; the text gives the reason, and never repeats the answer.
    #[error("the answer is invalid: {0}")]
    Rejected(String),
    /// The terminal failed.
    #[error("cannot use the terminal: {0}")]
    Io(#[from] io::Error),
}

/// An event that a user interface may show.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A warning; the work goes on.
    Warning(&'a str),
    /// A warning about configuration that was ignored. It may come again with the next credential; showing it once is enough.
    IgnoredConfig(&'a str),
    /// The build of an image has started.
    BuildStarted {
        /// Its tag.
        image: &'a str,
    },
    /// A line of the build's output.
    BuildLine(&'a str),
    /// The build is done.
    BuildDone,
    /// The vendor's CLI is about to run.
    Starting {
        /// The descriptor's `banner_hint`.
        banner: Option<&'a str>,
    },
    /// The URL to log in at, to be shown and opened in a browser.
    LoginUrl(&'a str),
    /// A URL that may be one to log in at, to be shown only: it may be incomplete, or not the first.
    PossibleLoginUrl(&'a str),
    /// Typed text, to be shown at the terminal as it is while the terminal itself shows nothing.
    Typed(&'a str),
    /// A code that the person enters at a page of the vendor.
    DeviceCode {
        /// The code.
        code: &'a str,
        /// The page.
        url: &'a str,
        /// The URL of that page with the code in it, if the vendor gave one.
        complete_url: Option<&'a str>,
        /// The time for which the code is valid.
        lasts: Duration,
    },
    /// The person may paste the address at which the browser ends, or the code that a page shows.
    PasteAnswer {
        /// The start of that address.
        redirect: &'a str,
    },
    /// The person must paste the address at which the browser ends, because another program uses its port on this machine.
    PasteRedirect {
        /// The port.
        port: u16,
    },
}

/// The lines that a person types or pastes. Reading ends when this is dropped.
pub struct Lines {
    /// The lines.
    pub received: mpsc::Receiver<Secret>,
    /// Restores the terminal when it is dropped.
    pub guard: Box<dyn Any + Send>,
}

/// The streams and the terminal for a vendor's CLI.
pub struct Console {
    /// The typed bytes; `None` if nobody types.
    pub input: Option<mpsc::Receiver<Vec<u8>>>,
    /// The destination of its output.
    pub output: Box<dyn AsyncWrite + Send + Unpin>,
    /// The destination of its errors.
    pub errors: Box<dyn AsyncWrite + Send + Unpin>,
    /// The terminal, if there is one.
    pub terminal: Option<Terminal>,
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
}

/// A terminal that can be set to raw mode, restored when this is dropped.
pub struct Terminal {
    /// Its size, now and whenever it changes.
    pub size: watch::Receiver<Size>,
    /// Sets raw mode, or restores the terminal.
    pub raw: Box<dyn Fn(bool) -> io::Result<()> + Send>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = (self.raw)(false);
    }
}
