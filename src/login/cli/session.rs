//! One run of a vendor's CLI, from its first byte to its end.

use std::{
    path::Path,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
    time::MissedTickBehavior,
};

use super::{
    port_forward::{self, ExpectedCallback, PortUnavailable},
    url_finder::UrlFinder,
};
use crate::{
    engine::{
        Container, EngineError,
        attach::{Attached, Output},
    },
    login::{
        cancel::{CancelRequest, CancelToken},
        error::{Ending, LoginError},
    },
    provider::CaptureEntry,
    ui::{Console, Event, Ui},
    vendor_files::{self, Captured, Owner},
};

/// How often the login's files are looked at while the CLI runs.
const LOOK: Duration = Duration::from_millis(500);
/// How long a complete credential must stay the same before a CLI that stays is stopped.
const STABLE: Duration = Duration::from_secs(3);
/// How long a CLI may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// After this much silence, a URL at the end of the output is whole.
const PAUSE: Duration = Duration::from_millis(300);
/// Two Ctrl-C within this time are meant for us.
const TWICE: Duration = Duration::from_secs(2);
const CTRL_C: u8 = 3;
const CTRL_C_KITTY: &[u8] = b"\x1b[99;5u";
/// Undoes what a CLI that was ended may have left on: pasting and mouse modes, keyboard protocol, colours, hidden cursor.
const RESET: &[u8] = b"\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[<u\x1b[0m\x1b[?25h";
/// The same from the alternate screen.
const RESET_ALTERNATE: &[u8] =
    b"\x1b[?1049l\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[<u\x1b[0m\x1b[?25h";
const ALTERNATE_ON: &[u8] = b"\x1b[?1049h";
const ALTERNATE_OFF: &[u8] = b"\x1b[?1049l";

/// What a session needs to know.
pub struct Session<'a> {
    /// The container, attached and started.
    pub container: &'a Container,
    /// Where the login's files land.
    pub files: &'a Path,
    /// Where in them the credential is.
    pub map: &'a [CaptureEntry],
    /// The port that is taken, if the redirect must be pasted.
    pub taken: Option<PortUnavailable>,
    /// The time limit, as it was said.
    pub limit: Duration,
    /// When it is reached.
    pub deadline: tokio::time::Instant,
    /// For what is to be shown.
    pub ui: &'a dyn Ui,
}

impl Session<'_> {
    /// Runs until the CLI ends, its credential is complete, the time is up or somebody interrupts.
    ///
    /// # Errors
    /// [`LoginError::Engine`] when the engine breaks off. The container may still run then.
    pub async fn run(
        mut self,
        attached: Attached,
        console: Console,
        interrupt: &mut CancelToken,
    ) -> Result<Ending, LoginError> {
        let Console { input: mut typed, output, errors, terminal } = console;
        let columns = terminal.as_ref().map(|t| t.size.borrow().cols);
        let Attached { output: printed, input } = attached;
        let (found, mut urls) = mpsc::channel(8);
        let screen = terminal.as_ref().map(|_| Screen::default());
        let mut pump =
            Task(tokio::spawn(pump(printed, output, errors, UrlFinder::new(columns), screen, found)));
        let (keys, pressed) = mpsc::channel(64);
        let typist = Task(tokio::spawn(typist(pressed, input)));
        let mut size = terminal.as_ref().map(|t| t.size.clone());
        let mut keyboard = Keyboard { last_ctrl_c: None, paste: None };
        let mut replay = None;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stable = StableFiles::default();
        let deadline = tokio::time::sleep_until(self.deadline);
        let ended = self.container.wait();
        tokio::pin!(deadline, ended);
        if let Some(terminal) = &terminal {
            (terminal.raw)(true).map_err(crate::ui::UiError::Io)?;
        }
        let ending = loop {
            tokio::select! {
                code = &mut ended => break Ending::Exited(code?),
                Some(url) = urls.recv() => {
                    self.ui.show(Event::LoginUrl(&url));
                    if let (Some(taken), Some(expected)) = (&self.taken, ExpectedCallback::of(&url)) {
                        if let Some(terminal) = &terminal {
                            (terminal.raw)(false).map_err(crate::ui::UiError::Io)?;
                        }
                        self.ui.show(Event::PasteRedirect { port: taken.port });
                        keyboard.paste = Some(Paste { expected, line: Vec::new() });
                    }
                }
                bytes = next(&mut typed) => {
                    match self.typed(bytes, &mut keyboard, &keys) {
                        TypedInput::Taken => {}
                        TypedInput::Out => break Ending::Interrupted,
                        TypedInput::Pasted { port, target } => {
                            let container = self.container.clone();
                            replay = Some(Box::pin(async move { port_forward::replay(&container, port, &target).await }));
                        }
                    }
                }
                answer = answered(&mut replay) => {
                    if self.accepted(answer) {
                        self.taken = None;
                        keyboard.paste = None;
                        if let Some(terminal) = &terminal {
                            (terminal.raw)(true).map_err(crate::ui::UiError::Io)?;
                        }
                    }
                }
                () = changed(&mut size) => {
                    if let Some(size) = &size {
                        let (container, now) = (self.container.clone(), *size.borrow());
                        tokio::spawn(async move { container.resize(now).await });
                    }
                }
                _ = look.tick() => {
                    if stable.check_files(self.files, self.map) {
                        break Ending::Complete;
                    }
                }
                asked = interrupt.requested() => match asked {
                    CancelRequest::Nothing => {}
                    CancelRequest::Interrupt => {
                        let container = self.container.clone();
                        tokio::spawn(async move { container.signal("INT").await });
                    }
                    CancelRequest::End => break Ending::Interrupted,
                },
                () = &mut deadline => break Ending::TimedOut(self.limit),
            }
        };
        if !matches!(ending, Ending::Exited(_)) {
            let stop = self.container.stop(GRACE);
            tokio::pin!(stop);
            // An engine that says nothing any more changes nothing of how the login ended.
            tokio::select! {
                _ = &mut stop => {}
                _ = interrupt.requested() => {}
                () = tokio::time::sleep(2 * GRACE) => {
                    // Docker answers nothing about a container whose output is not taken from it. When nobody reads
                    // ours any more, the connection is given up, in both directions.
                    pump.0.abort();
                    typist.0.abort();
                    tokio::select! {
                        _ = stop => {}
                        _ = interrupt.requested() => {}
                    }
                }
            }
        }
        // What was printed last, the restoring of the screen above all, is still on its way.
        let _ = tokio::time::timeout(GRACE, &mut pump.0).await;
        while let Ok(url) = urls.try_recv() {
            self.ui.show(Event::LoginUrl(&url));
        }
        drop(terminal);
        Ok(ending)
    }

    /// Takes what was typed: to the CLI, or to the line that is being pasted. A line that is no redirect is the CLI's.
    fn typed(&self, bytes: Vec<u8>, keyboard: &mut Keyboard, keys: &mpsc::Sender<Vec<u8>>) -> TypedInput {
        if (0..count_ctrl_c(&bytes)).any(|_| keyboard.double_ctrl_c()) {
            return TypedInput::Out;
        }
        let Some(paste) = &mut keyboard.paste else {
            // A CLI that reads nothing loses what is typed at it, and holds up nobody.
            let _ = keys.try_send(bytes);
            return TypedInput::Taken;
        };
        paste.line.extend_from_slice(&bytes);
        let Some(end) = paste.line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return TypedInput::Taken;
        };
        let line: Vec<u8> = paste.line.drain(..=end).collect();
        paste.line.clear();
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if !port_forward::looks_like_redirect(&line) {
            let _ = keys.try_send(format!("{line}\r").into_bytes());
            return TypedInput::Taken;
        }
        match paste.expected.check(&line) {
            Ok(target) => TypedInput::Pasted { port: paste.expected.port(), target },
            Err(problem) => {
                self.ui.show(Event::Warning(&format!("{problem}; paste it again")));
                TypedInput::Taken
            }
        }
    }

    /// Whether the CLI took the pasted redirect; says so if not.
    fn accepted(&self, answer: Result<u16, EngineError>) -> bool {
        let text = match answer {
            Ok(status) if status < 400 => return true,
            Ok(status) => format!("the login refused that with HTTP status {status}; paste another"),
            Err(error) => format!("{error}; paste it again"),
        };
        self.ui.show(Event::Warning(&text));
        false
    }
}

/// What became of something typed.
enum TypedInput {
    /// It was taken.
    Taken,
    /// It was this login's redirect: where it goes.
    Pasted { port: u16, target: String },
    /// It was Ctrl-C, twice.
    Out,
}

/// The outcome of what is under way. Never returns while nothing is.
async fn answered<F: Future + Unpin>(under_way: &mut Option<F>) -> F::Output {
    match under_way {
        Some(future) => {
            let outcome = future.await;
            *under_way = None;
            outcome
        }
        None => std::future::pending().await,
    }
}

/// Counts Ctrl-C, also as a terminal sends it to programs that asked for unambiguous keys.
fn count_ctrl_c(bytes: &[u8]) -> usize {
    let plain = bytes.iter().filter(|byte| **byte == CTRL_C).count();
    plain + bytes.windows(CTRL_C_KITTY.len()).filter(|window| *window == CTRL_C_KITTY).count()
}

struct Keyboard {
    last_ctrl_c: Option<Instant>,
    paste: Option<Paste>,
}

struct Paste {
    expected: ExpectedCallback,
    line: Vec<u8>,
}

impl Keyboard {
    /// Counts a Ctrl-C; true at the second within a moment.
    fn double_ctrl_c(&mut self) -> bool {
        self.last_ctrl_c.replace(Instant::now()).is_some_and(|last| last.elapsed() < TWICE)
    }
}

/// Watches for a credential that is complete and does not change any more.
#[derive(Default)]
struct StableFiles {
    seen: Option<(Captured, Instant)>,
}

impl StableFiles {
    fn check_files(&mut self, files: &Path, map: &[CaptureEntry]) -> bool {
        match (vendor_files::read(files, map, Owner::us()).ok().flatten(), &self.seen) {
            (Some(now), Some((before, since))) if now == *before => return since.elapsed() >= STABLE,
            (Some(now), _) => self.seen = Some((now, Instant::now())),
            (None, _) => self.seen = None,
        }
        false
    }
}

/// What is typed next. Never returns when nobody types.
async fn next(typed: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Vec<u8> {
    if let Some(receiver) = typed {
        match receiver.recv().await {
            Some(bytes) => return bytes,
            None => *typed = None,
        }
    }
    std::future::pending().await
}

async fn changed(size: &mut Option<tokio::sync::watch::Receiver<crate::engine::container::Size>>) {
    if let Some(receiver) = size
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// A task that ends with the session, so that a stuck reader or writer holds up nothing.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pump(
    mut printed: Pin<Box<dyn futures_util::Stream<Item = Output> + Send>>,
    mut output: Box<dyn AsyncWrite + Send + Unpin>,
    mut errors: Box<dyn AsyncWrite + Send + Unpin>,
    mut finder: UrlFinder,
    mut screen: Option<Screen>,
    found: mpsc::Sender<String>,
) {
    loop {
        let urls = match tokio::time::timeout(PAUSE, printed.next()).await {
            Err(_) => finder.pause(),
            Ok(None) => break,
            Ok(Some(piece)) => {
                let sink = match &piece {
                    Output::Out(_) => &mut output,
                    Output::Err(_) => &mut errors,
                };
                // Nobody may be looking any more; the login goes on.
                let _ = sink.write_all(piece.bytes()).await;
                let _ = sink.flush().await;
                if let Some(screen) = &mut screen {
                    screen.feed(piece.bytes());
                }
                finder.feed(piece.bytes())
            }
        };
        for url in urls {
            let _ = found.send(url).await;
        }
    }
    if let Some(screen) = screen {
        let _ = output.write_all(screen.reset()).await;
        let _ = output.flush().await;
    }
    for url in finder.pause() {
        let _ = found.send(url).await;
    }
}

/// Whether the CLI is on the terminal's alternate screen, and whether it changed the terminal at all.
#[derive(Default)]
struct Screen {
    alternate: bool,
    changed: bool,
}

impl Screen {
    fn feed(&mut self, bytes: &[u8]) {
        let last = |what: &[u8]| bytes.windows(what.len()).rposition(|window| window == what);
        match (last(ALTERNATE_ON), last(ALTERNATE_OFF)) {
            (None, None) => {}
            (on, off) => self.alternate = on > off,
        }
        self.changed |= bytes.contains(&0x1b);
    }

    fn reset(&self) -> &'static [u8] {
        match (self.alternate, self.changed) {
            (true, _) => RESET_ALTERNATE,
            (false, true) => RESET,
            (false, false) => b"",
        }
    }
}

/// Hands on what is typed.
async fn typist(mut pressed: mpsc::Receiver<Vec<u8>>, mut input: Pin<Box<dyn AsyncWrite + Send>>) {
    while let Some(bytes) = pressed.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            break;
        }
    }
}
