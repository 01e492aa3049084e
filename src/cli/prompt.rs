//! Asking, so that the terminal is as it was however the question ends.

use std::{io, process, thread};

use authenticate::exit;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::{Handle, Signals},
};

/// While it lives, a signal restores the terminal before it ends the program.
pub struct Guard {
    handle: Handle,
}

impl Guard {
    pub fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin()).ok();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let handle = signals.handle();
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                restore(before.as_ref());
                process::exit(exit::INTERRUPTED.into());
            }
        });
        Ok(Self { handle })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn restore(before: Option<&Termios>) {
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
    // The cursor is hidden during a choice.
    eprint!("\x1b[?25h\r\n");
}
