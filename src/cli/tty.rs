//! The terminal at standard input. Only a process in its foreground reads it or sets its modes: the kernel stops any
//! other (SIGTTIN, SIGTTOU), which then heeds neither a time limit nor SIGTERM.

use std::io::{self, IsTerminal as _};

use authenticate::ui::Size;
use rustix::{
    process::getpgrp,
    termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetpgrp, tcgetwinsize, tcsetattr},
};

use super::patient;

/// Whether standard input is a terminal that this process may use.
pub fn is_ours() -> bool {
    let stdin = io::stdin();
    // A terminal that does not control this session has no foreground, and stops nobody.
    stdin.is_terminal() && tcgetpgrp(&stdin).map_or(true, |foreground| foreground == getpgrp())
}

/// Sets the terminal's modes. In the background it has those that the shell has set.
pub fn set(when: OptionalActions, modes: &Termios) -> io::Result<()> {
    if !is_ours() {
        return Err(io::Error::other("this process runs in the background"));
    }
    Ok(tcsetattr(io::stdin(), when, modes)?)
}

/// Drops typed text that was not read.
pub fn drop_typed() {
    if is_ours() {
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }
}

/// Shows text at the terminal itself, wherever the output goes.
pub fn show(text: &str) {
    if is_ours() {
        let _ = patient::write_all(rustix::stdio::stdin(), text.as_bytes());
    }
}

/// The terminal's size.
pub fn size() -> Size {
    match tcgetwinsize(io::stdin()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size { rows: size.ws_row, cols: size.ws_col },
        _ => Size { rows: 24, cols: 80 },
    }
}
