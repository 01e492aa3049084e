//! Runs a vendor's CLI in its console, from its first byte to its end.

mod keyboard;
mod screen;
mod stable_files;
mod streams;

use std::{path::Path, pin::pin, time::Duration};

use futures_util::future::{Fuse, FutureExt as _};
use tokio::{
    sync::mpsc,
    time::{sleep, sleep_until},
};

use self::{
    keyboard::{Keyboard, Typed},
    stable_files::StableFiles,
    streams::Streams,
};
use super::replay;
use crate::{
    engine::{Container, EngineError, attach::Attached},
    login::{
        cancel::{CancelRequest, CancelToken},
        deadline::Deadline,
        error::{Ending, LoginError},
        loopback::{ExpectedCallback, PortUnavailable},
    },
    provider::CaptureEntry,
    ui::{Console, Event, Size, Terminal, Ui, UiError},
};

/// Time for a CLI to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A run of the CLI, with everything that it depends on.
pub(super) struct Session<'a> {
    /// The container, attached and started.
    pub container: &'a Container,
    /// The directory of the login's files.
    pub files: &'a Path,
    /// The place of the credential in the files.
    pub map: &'a [CaptureEntry],
    /// The port that is unavailable, if the redirect must be pasted.
    pub unavailable: Option<PortUnavailable>,
    /// The user interface for events.
    pub ui: &'a dyn Ui,
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
}

impl Session<'_> {
    /// Runs until the CLI ends, its credential is complete, the time is up, or the login is cancelled.
    ///
    /// # Errors
    /// [`LoginError::Engine`] when the engine fails; the container may still run then. [`LoginError::Ui`] when the
    /// terminal fails.
    pub(super) async fn run(
        mut self,
        attached: Attached,
        console: Console,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let Console { input, output, errors, terminal } = console;
        let columns = terminal.as_ref().map(|terminal| terminal.size.borrow().cols);
        let mut input = Input { typed: input, terminal, keyboard: Keyboard::default() };
        let mut streams = Streams::start(attached, output, errors, columns);
        input.set_raw(true)?;
        let ending = self.watch(&mut streams, &mut input, deadline).await;
        if !matches!(ending, Ok(Ending::Exited(_)) | Err(_)) {
            self.stop(&mut streams, deadline.cancel).await;
        }
        // The last output, above all the sequences that restore the screen, may still be on its way.
        streams.finish(GRACE).await;
        while let Ok(url) = streams.urls.try_recv() {
            self.ui.show(Event::LoginUrl(&url));
        }
        ending
    }

    /// Handles events until one ends the login.
    async fn watch(
        &mut self,
        streams: &mut Streams,
        input: &mut Input,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let container = self.container;
        let mut files = StableFiles::new(self.files, self.map);
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
                Some(url) = streams.urls.recv() => self.show_url(&url, input)?,
                Some(bytes) = async { input.typed.as_mut()?.recv().await } => match input.keyboard.typed(bytes) {
                    Typed::Nothing => {}
                    Typed::Keys(bytes) => streams.send_keys(bytes),
                    Typed::Interrupt => return Ok(Ending::Interrupted),
                    Typed::Invalid(problem) => self.warn(&format!("{problem}; paste it again")),
                    Typed::Redirect { port, target } => {
                        replay = Box::pin(replay::replay(container, port, target)).fuse();
                    }
                },
                answer = &mut replay => if self.accepted(answer) {
                    self.unavailable = None;
                    input.keyboard.stop_paste();
                    input.set_raw(true)?;
                },
                Some(size) = resized(&mut input.terminal) => {
                    let container = container.clone();
                    tokio::spawn(async move { container.resize(size).await });
                }
            }
        }
    }

    /// Shows a login URL, and asks for its redirect if the browser cannot return.
    fn show_url(&self, url: &str, input: &mut Input) -> Result<(), UiError> {
        self.ui.show(Event::LoginUrl(url));
        if let (Some(unavailable), Some(expected)) = (&self.unavailable, ExpectedCallback::of(url)) {
            input.set_raw(false)?;
            self.ui.show(Event::PasteRedirect { port: unavailable.port });
            input.keyboard.start_paste(expected);
        }
        Ok(())
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
