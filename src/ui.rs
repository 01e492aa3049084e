//! The user interface that a program gives the library: questions, events and the terminal.

use std::{io, time::Duration};

use tokio::{
    io::AsyncWrite,
    sync::{mpsc, watch},
};

use crate::{
    credential::Secret,
    provider::{Descriptor, Mode, descriptor::Field},
};

/// Asks and shows. The command line implements it with a terminal, a test with a script.
pub trait Ui: Send + Sync {
    /// Chooses among the modes of a provider that has several.
    ///
    /// # Errors
    /// [`UiError`] when there is nobody to ask.
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError>;

    /// Asks for a secret, without showing what is typed.
    ///
    /// # Errors
    /// [`UiError`] when there is nobody to ask.
    fn ask_secret(&self, prompt: &str, hint: Option<&str>) -> Result<Secret, UiError>;

    /// Asks for one field of a credential. What is typed is not shown where the field is secret; nothing may be
    /// answered where it has a variable.
    ///
    /// # Errors
    /// [`UiError`] when there is nobody to ask.
    fn ask_field(&self, question: &FieldQuestion<'_>) -> Result<Secret, UiError> {
        self.ask_secret(&format!("{} for {}", question.field.label, question.provider), None)
    }

    /// Shows something.
    fn show(&self, event: Event<'_>);

    /// The streams and the terminal that a vendor's CLI is given.
    fn console(&self) -> io::Result<Console>;

    /// Returns whether the person's browser can reach this machine's loopback.
    fn browser_can_return(&self) -> bool;

    /// Returns the lines that the person types or pastes from now on. `None`: nobody types. Reading ends when the
    /// receiver is dropped.
    fn lines(&self) -> Option<mpsc::Receiver<Secret>> {
        None
    }
}

/// A question for a field of a credential.
#[derive(Clone, Copy, Debug)]
pub struct FieldQuestion<'a> {
    /// The provider's label.
    pub provider: &'a str,
    /// The field's name.
    pub name: &'a str,
    /// The field as the descriptor declares it.
    pub field: &'a Field,
}

/// A user interface without a person: every question fails, and nothing is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Ui for Nobody {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
        let text = format!(
            "{} has several modes, and nobody to ask: say one of {}",
            provider.name,
            modes.join(", ")
        );
        Err(UiError::NoOneToAsk(text))
    }

    fn ask_secret(&self, prompt: &str, _: Option<&str>) -> Result<Secret, UiError> {
        Err(UiError::NoOneToAsk(format!("{prompt}: not given, and nobody to ask")))
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

/// The reason that a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// There is nobody to ask; the text names the flag to use instead.
    #[error("{0}")]
    NoOneToAsk(String),
    /// The question was dismissed.
    #[error("interrupted")]
    Interrupted,
    /// The answer is not valid. The text gives the reason and repeats nothing of the answer.
    #[error("the answer is not valid: {0}")]
    Rejected(String),
    /// The terminal failed.
    #[error("the terminal cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// An event to show.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A remark.
    Note(&'a str),
    /// A warning; the operation continues.
    Warning(&'a str),
    /// A part of the configuration that is ignored. It can be reported again for the next credential; show it once.
    IgnoredConfig(&'a str),
    /// An image is being built, for the first time or since an edit.
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
        /// The descriptor's hint.
        banner: Option<&'a str>,
    },
    /// The vendor's CLI printed the URL to log in at.
    LoginUrl(&'a str),
    /// A code is to be entered on a page of the vendor's.
    DeviceCode {
        /// The code.
        code: &'a str,
        /// The page.
        url: &'a str,
        /// The page with the code already in it, where there is one.
        complete_url: Option<&'a str>,
        /// How long the code lasts.
        lasts: Duration,
    },
    /// The address that the browser ends at, or the code that a page shows, can be pasted.
    PasteAnswer {
        /// The start of that address.
        redirect: &'a str,
    },
    /// The browser will return to a port that is not ours: the address that it shows must be pasted.
    PasteRedirect {
        /// The port.
        port: u16,
    },
}

/// The streams and the terminal that a vendor's CLI is given.
pub struct Console {
    /// The bytes that are typed. `None`: nobody types.
    pub input: Option<mpsc::Receiver<Vec<u8>>>,
    /// Where its output goes.
    pub output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Where its errors go.
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

/// A terminal that can be made raw; it is restored when this is dropped.
pub struct Terminal {
    /// Its size, now and whenever it changes.
    pub size: watch::Receiver<Size>,
    /// Makes it raw or restores it. Dropping restores it, too.
    pub raw: Box<dyn Fn(bool) -> io::Result<()> + Send>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = (self.raw)(false);
    }
}
