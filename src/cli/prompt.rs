//! Asking, so that the terminal is as it was however the question ends.

use std::{io, process, thread};

use authenticate::exit;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::{Handle, Signals},
};

/// While it lives, a signal restores the terminal before it ends the program. A signal also ends the question, and either
/// may come first: so it is restored when this is dropped, too.
pub struct Guard {
    handle: Handle,
    before: Option<Termios>,
}

impl Guard {
    pub fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin()).ok();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let handle = signals.handle();
        thread::spawn({
            let before = before.clone();
            move || {
                if signals.forever().next().is_some() {
                    restore(before.as_ref());
                    eprint!("\r\n");
                    process::exit(exit::INTERRUPTED.into());
                }
            }
        });
        Ok(Self { handle, before })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore(self.before.as_ref());
        self.handle.close();
    }
}

fn restore(before: Option<&Termios>) {
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
    // The cursor is hidden during a choice.
    eprint!("\x1b[?25h");
}
