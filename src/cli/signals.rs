//! Signals. At a question they end the program; work that must not be cut off receives them. Once installed, the handler stays,
//! so it must also end the program at any other time.

use std::{
    io::{self, Write as _},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use authenticate::{LoginError, UiError};
use rustix::{
    fs::Mode,
    process::umask,
    termios::{OptionalActions, Termios, tcgetattr},
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ},
    iterator,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{exit, output, tty};

static STATE: Mutex<State> = Mutex::new(State { is_installed: false, terminals: Vec::new(), receiver: None });

struct State {
    is_installed: bool,
    /// The open uses of the terminal, the outermost first.
    terminals: Vec<Use>,
    /// The work that receives signals, except during a question.
    receiver: Option<UnboundedSender<i32>>,
}

/// A use of the terminal.
struct Use {
    /// The settings before it.
    before: Option<Termios>,
    /// Whether a signal ends the program, even if work receives signals.
    is_question: bool,
}

impl State {
    fn lock() -> MutexGuard<'static, Self> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, with the handler installed.
    fn installed() -> io::Result<MutexGuard<'static, Self>> {
        let mut state = Self::lock();
        if !state.is_installed {
            let mut signals = iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
            thread::spawn(move || signals.forever().for_each(handle));
            state.is_installed = true;
        }
        Ok(state)
    }
}

/// Makes two settings harmless that a process inherits: a limit on the size of files, which is an error then and not a
/// deadly signal, and a umask that would close our files to ourselves.
pub fn settle() {
    // A handler, which programs that we start do not inherit.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    let others = Mode::RWXG | Mode::RWXO;
    umask(umask(others) & others);
}

/// Ends the program, unless work receives the signal. It also ends an open question; the exit code is the same whichever
/// comes first.
fn handle(signal: i32) {
    let state = State::lock();
    if !state.terminals.iter().any(|terminal| terminal.is_question)
        && let Some(receiver) = &state.receiver
    {
        let _ = receiver.send(signal);
        return;
    }
    if let Some(outermost) = state.terminals.first() {
        restore(outermost);
        print("\r\n");
    }
    process::exit(exit::INTERRUPTED.into());
}

/// Restores the terminal when a question ends, or when a signal ends the program; either may happen first.
pub struct Guard(());

impl Guard {
    /// For a question, during which a signal ends the program.
    pub fn new() -> io::Result<Self> {
        Self::begin(true)
    }

    /// For work that goes on while lines are read.
    pub fn beside_work() -> io::Result<Self> {
        Self::begin(false)
    }

    fn begin(is_question: bool) -> io::Result<Self> {
        State::installed()?.terminals.push(Use { before: tcgetattr(io::stdin()).ok(), is_question });
        Ok(Self(()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(ended) = State::lock().terminals.pop() {
            restore(&ended);
        }
    }
}

fn restore(ended: &Use) {
    if let Some(before) = &ended.before {
        let _ = tty::set(OptionalActions::Now, before);
    }
    if ended.is_question {
        // The cursor is hidden during a choice.
        print("\x1b[?25h");
    }
}

/// Writes to a terminal that may be gone.
fn print(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The signals that arrive while this lives, except during a question.
pub struct Signals {
    received: UnboundedReceiver<i32>,
    is_interrupted: bool,
}

impl Signals {
    pub fn receive() -> io::Result<Self> {
        let (sender, received) = unbounded_channel();
        State::installed()?.receiver = Some(sender);
        Ok(Self { received, is_interrupted: false })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> i32 {
        let signal = self.received.recv().await.unwrap_or(SIGTERM);
        self.is_interrupted = true;
        signal
    }

    /// Whether a signal has arrived, after which no further step begins.
    pub fn is_interrupted(&mut self) -> bool {
        self.is_interrupted |= self.received.try_recv().is_ok();
        self.is_interrupted
    }

    /// Runs work to its end despite a signal, because a vendor's answer may hold the only token that still works. A second
    /// signal cancels it, and so does SIGQUIT.
    pub fn finish<T, E>(&mut self, work: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
    where
        anyhow::Error: From<E>,
    {
        super::finish(async {
            tokio::pin!(work);
            for warned in [false, true] {
                let signal = tokio::select! {
                    done = &mut work => return Ok(done?),
                    signal = self.next() => signal,
                };
                if signal == SIGQUIT {
                    break;
                }
                if !warned {
                    output::warn(
                        "waiting for the vendor's answer, which must not be lost; press Ctrl-C again to abandon it",
                    );
                }
            }
            output::warn("abandoned: the vendor may have acted all the same; see: authenticate status");
            Err(interrupted())
        })?
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        State::lock().receiver = None;
    }
}

pub fn interrupted() -> anyhow::Error {
    LoginError::Ui(UiError::Interrupted).into()
}
