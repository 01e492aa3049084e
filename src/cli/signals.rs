//! Signals during questions. Once installed, the handler stays, so it must also end the program when no question is open.

use std::{
    io, process,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use super::exit;

/// The number of live [`SignalsHandled`].
static HANDLED_ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
static QUESTIONS: Mutex<Questions> =
    Mutex::new(Questions { handler_installed: false, terminals: Vec::new() });

struct Questions {
    handler_installed: bool,
    /// The terminal's settings before each open question, the outermost first.
    terminals: Vec<Option<Termios>>,
}

/// Marks that other code handles signals while this lives, except during a question.
pub struct SignalsHandled(());

impl SignalsHandled {
    pub fn new() -> Self {
        HANDLED_ELSEWHERE.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for SignalsHandled {
    fn drop(&mut self) {
        HANDLED_ELSEWHERE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Restores the terminal when a question ends, or when a signal ends the program; either may happen first.
pub struct Guard(());

impl Guard {
    pub fn new() -> io::Result<Self> {
        let mut questions = questions();
        if !questions.handler_installed {
            let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
            thread::spawn(move || signals.forever().for_each(handle));
            questions.handler_installed = true;
        }
        questions.terminals.push(tcgetattr(io::stdin()).ok());
        Ok(Self(()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(before) = questions().terminals.pop() {
            restore(before.as_ref());
        }
    }
}

fn questions() -> MutexGuard<'static, Questions> {
    QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program. The signal also ends an open question; the exit code is the same whichever comes first.
fn handle(_: i32) {
    let questions = questions();
    if let Some(before) = questions.terminals.first() {
        restore(before.as_ref());
        eprint!("\r\n");
    } else if HANDLED_ELSEWHERE.load(Ordering::SeqCst) > 0 {
        return;
    }
    process::exit(exit::INTERRUPTED.into());
}

fn restore(before: Option<&Termios>) {
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
    // The cursor is hidden during a choice.
    eprint!("\x1b[?25h");
}
