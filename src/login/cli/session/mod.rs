//! Runs a vendor's CLI in its console, from its first byte to its end.

mod keyboard;
mod screen;
mod stable_files;
mod streams;

use std::{pin::pin, time::Duration};

use futures_util::future::{Fuse, FutureExt as _};
use tokio::{
    sync::mpsc,
    time::{sleep, sleep_until, timeout},
};

use self::{
    keyboard::{Keyboard, Typed},
    screen::ANSWER,
    stable_files::StableFiles,
    streams::Streams,
};
use super::{files::LoginFiles, forward::Forwards, replay, url_finder::FoundUrl};
use crate::{
    engine::{Container, EngineError, attach::Attached},
    login::{
        cancel::{CancelRequest, CancelToken},
        deadline::Deadline,
        error::{Ending, LoginError},
        loopback::ExpectedCallback,
    },
    ui::{Console, Event, Size, Terminal, Ui, UiError},
};

/// Time for a CLI to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// Time for the terminal to answer what it was asked.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// A run of the CLI, with everything that it depends on.
pub(super) struct Session<'a> {
    /// The container, attached and started.
    pub container: &'a Container,
    /// The login's files.
    pub files: LoginFiles,
    /// The forwarded ports; `None` if the CLI listens on the host's own loopback.
    pub forwards: Option<&'a mut Forwards>,
    /// The user interface for events.
    pub ui: &'a dyn Ui,
    /// Whether a URL was opened: a CLI must not open any number of pages.
    pub is_opened: bool,
}

/// The console's input and terminal.
struct Input {
    typed: Option<mpsc::Receiver<Vec<u8>>>,
    terminal: Option<Terminal>,
    keyboard: Keyboard,
}

impl Input {
    fn set_raw(&self, raw: bool) -> Result<(), UiError> {
        match &self.terminal {
            Some(terminal) => (terminal.raw)(raw).map_err(UiError::Io),
            None => Ok(()),
        }
    }

    /// Waits until the terminal has answered everything that it was asked.
    async fn answered(&mut self) {
        let mut read = Vec::new();
        while let Some(bytes) = async { self.typed.as_mut()?.recv().await }.await {
            read.extend(bytes);
            if read.windows(ANSWER.len()).any(|window| window == ANSWER) {
                return;
            }
        }
    }
}

impl Session<'_> {
    /// Runs until the CLI ends, its credential is complete, the time is up, or the login is cancelled.
    ///
    /// # Errors
    /// [`LoginError::Engine`] when the engine fails; the container may still run then. [`LoginError::Ui`] when the
    /// terminal fails. [`LoginError::PortTaken`] when nobody can bring the redirect to the CLI.
    pub(super) async fn run(
        mut self,
        attached: Attached,
        console: Console,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let Console { input, output, errors, terminal } = console;
        let columns = terminal.as_ref().map(|terminal| terminal.size.borrow().cols);
        let mut input = Input { typed: input, terminal, keyboard: Keyboard::default() };
        let size = input.terminal.as_ref().map(|terminal| *terminal.size.borrow());
        let mut streams = Streams::start(attached, output, errors, columns);
        input.set_raw(true)?;
        if let Some(size) = size {
            // Again, for an image without `stty`.
            self.resize(size);
        }
        let ending = self.watch(&mut streams, &mut input, deadline).await;
        if !matches!(ending, Ok(Ending::Exited(_)) | Err(LoginError::Engine(_) | LoginError::Ui(_))) {
            self.stop(&mut streams, deadline.cancel).await;
        }
        // The last output, above all the sequences that restore the screen, may still be on its way.
        if streams.finish(GRACE).await {
            // What is left of the terminal's answers would be typed into the shell.
            let _ = timeout(ANSWER_LIMIT, input.answered()).await;
        }
        while let Ok(found) = streams.urls.try_recv() {
            self.show(&found);
        }
        let is_interrupted =
            input.keyboard.is_interrupted() || deadline.cancel.so_far() != CancelRequest::Nothing;
        match ending {
            Ok(Ending::Exited(_)) if is_interrupted => Ok(Ending::Interrupted),
            ending => ending,
        }
    }

    /// Handles events until one ends the login.
    async fn watch(
        &mut self,
        streams: &mut Streams,
        input: &mut Input,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let container = self.container;
        let mut files = StableFiles::new(self.files.clone());
        let mut replay = Fuse::terminated();
        let mut ended = pin!(container.wait());
        let mut time_up = pin!(sleep_until(deadline.end));
        loop {
            tokio::select! {
                code = &mut ended => return Ok(Ending::Exited(code?)),
                () = files.complete() => return Ok(Ending::Complete),
                () = &mut time_up => return Ok(Ending::TimedOut(deadline.limit)),
                request = deadline.cancel.requested() => match request {
                    CancelRequest::Nothing => {}
                    CancelRequest::Interrupt => {
                        let container = container.clone();
                        tokio::spawn(async move { container.signal("INT").await });
                    }
                    CancelRequest::End => return Ok(Ending::Interrupted),
                },
                Some(found) = streams.urls.recv() => self.announce(&found, input).await?,
                Some(problem) = async { Some(self.forwards.as_mut()?.failure().await) } => self.warn(&problem),
                Some(bytes) = async { input.typed.as_mut()?.recv().await } => {
                    for typed in input.keyboard.typed(bytes) {
                        match typed {
                            Typed::Shown(text) => self.ui.show(Event::Typed(&text)),
                            Typed::Keys(bytes) => streams.send_keys(bytes),
                            Typed::Interrupt => return Ok(Ending::Interrupted),
                            Typed::Invalid(problem) => self.warn(&format!("{problem}; paste it again")),
                            Typed::Redirect { port, target } => {
                                replay = Box::pin(replay::replay(container, port, target)).fuse();
                            }
                        }
                    }
                }
                answer = &mut replay => if self.accepted(answer) {
                    input.keyboard.stop_paste();
                },
                Some(size) = resized(&mut input.terminal) => {
                    streams.resized(size.cols);
                    self.resize(size);
                }
            }
        }
    }

    /// Shows a login URL. The first one that is certain is opened.
    fn show(&mut self, found: &FoundUrl) {
        let opens = found.is_certain && !self.is_opened;
        self.is_opened |= opens;
        let event = if opens { Event::LoginUrl } else { Event::PossibleLoginUrl };
        self.ui.show(event(&found.url));
    }

    /// Shows a login URL once its redirect is forwarded to the CLI, and asks for the redirect if it cannot be, or if the
    /// browser is elsewhere.
    async fn announce(&mut self, found: &FoundUrl, input: &mut Input) -> Result<(), LoginError> {
        let redirect = self.forwards.as_mut().zip(ExpectedCallback::of(&found.url));
        let Some((forwards, expected)) = redirect else {
            self.show(found);
            return Ok(());
        };
        let unavailable = forwards.add(&expected).await.err();
        match &unavailable {
            // A URL in doubt may name another port.
            Some(unavailable) if input.typed.is_none() && found.is_certain => {
                return Err(LoginError::PortTaken(unavailable.clone()));
            }
            Some(unavailable) => self.warn(&unavailable.paste_instead()),
            None => {}
        }
        self.show(found);
        if input.typed.is_some() && (unavailable.is_some() || !self.ui.browser_can_return()) {
            let redirect = expected.redirect().as_str();
            self.ui.show(match unavailable {
                Some(unavailable) => Event::PasteRedirect { port: unavailable.port },
                None => Event::PasteAnswer { redirect },
            });
            input.keyboard.start_paste(expected);
        }
        Ok(())
    }

    fn resize(&self, size: Size) {
        let container = self.container.clone();
        tokio::spawn(async move { container.resize(size).await });
    }

    /// Returns whether the CLI accepted the pasted redirect; warns if not.
    fn accepted(&self, answer: Result<u16, EngineError>) -> bool {
        match answer {
            Ok(status) if status < 400 => return true,
            Ok(status) => {
                self.warn(&format!("the CLI answered that with HTTP status {status}; paste another"))
            }
            Err(error) => self.warn(&format!("{error}; paste it again")),
        }
        false
    }

    /// Stops the CLI. An engine that does not answer does not change how the login ended.
    async fn stop(&self, streams: &mut Streams, cancel: &mut CancelToken) {
        let mut stop = pin!(self.container.stop(GRACE));
        tokio::select! {
            _ = &mut stop => return,
            _ = cancel.requested() => return,
            () = sleep(2 * GRACE) => {}
        }
        // Docker answers nothing about a container whose output nobody reads. If nobody reads our output either, the
        // connection is given up, in both directions.
        streams.abort().await;
        tokio::select! {
            _ = stop => {}
            _ = cancel.requested() => {}
        }
    }

    fn warn(&self, text: &str) {
        self.ui.show(Event::Warning(text));
    }
}

/// Waits until the terminal has another size. `None` without a terminal.
async fn resized(terminal: &mut Option<Terminal>) -> Option<Size> {
    let size = &mut terminal.as_mut()?.size;
    size.changed().await.ok()?;
    Some(*size.borrow())
}
