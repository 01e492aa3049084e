//! What a signal does, from the first question on. A handler that was once there stays, and then nothing happens by itself.

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

/// How many see to signals themselves.
static SEEN_TO: AtomicUsize = AtomicUsize::new(0);
static QUESTIONS: Mutex<Questions> = Mutex::new(Questions { are_handled: false, terminals: Vec::new() });

struct Questions {
    are_handled: bool,
    /// The terminal as it was before each of those that are open, the first first.
    terminals: Vec<Option<Termios>>,
}

/// While it lives, somebody else sees to signals, unless there is a question.
pub struct SignalsHandled(());

impl SignalsHandled {
    pub fn new() -> Self {
        SEEN_TO.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for SignalsHandled {
    fn drop(&mut self) {
        SEEN_TO.fetch_sub(1, Ordering::SeqCst);
    }
}

/// While it lives, a signal restores the terminal before it ends the program. A signal also ends the question, and either
/// may come first: so it is restored when this is dropped, too.
pub struct Guard(());

impl Guard {
    pub fn new() -> io::Result<Self> {
        let mut questions = questions();
        if !questions.are_handled {
            let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
            thread::spawn(move || signals.forever().for_each(handle));
            questions.are_handled = true;
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

/// Whichever comes first, the signal here or the end of the question that it has ended, the exit code is the same.
fn handle(_: i32) {
    let questions = questions();
    if let Some(before) = questions.terminals.first() {
        restore(before.as_ref());
        eprint!("\r\n");
    } else if SEEN_TO.load(Ordering::SeqCst) > 0 {
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
