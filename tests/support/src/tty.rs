//! A terminal, with the program on it.

use std::{
    fs::File,
    io::Write,
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command},
    thread::JoinHandle,
};

use rustix::{
    fs::{Mode, OFlags},
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{
    LIMIT,
    running::{Ended, Heard, send, wait},
};

/// A program with a controlling terminal of its own.
pub struct OnTerminal {
    child: Child,
    keys: File,
    side: OwnedFd,
    before: Termios,
    /// The screen of the terminal.
    pub screen: Heard,
    reader: JoinHandle<()>,
}

impl OnTerminal {
    /// Starts the program on a new terminal of this size.
    pub fn start(command: &Command, rows: u16, cols: u16) -> Self {
        Self::start_after("", command, rows, cols)
    }

    /// Starts it after something was typed.
    pub fn start_after(typed: &str, command: &Command, rows: u16, cols: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a terminal");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = rustix::fs::open(name, flags, Mode::empty()).expect("its other side");
        tcsetwinsize(&ours, size(rows, cols)).expect("a size");
        let before = tcgetattr(&side).expect("modes");
        let stream = || side.as_fd().try_clone_to_owned().expect("a copy");
        let mut under = Command::new("setsid");
        under.arg("-c").arg(command.get_program()).args(command.get_args());
        under.env_clear().env("TERM", "xterm-256color");
        under.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        under.current_dir(command.get_current_dir().expect("a directory"));
        let mut keys = File::from(ours);
        keys.write_all(typed.as_bytes()).expect("typed");
        let child = under.stdin(stream()).stdout(stream()).stderr(stream()).spawn().expect("started");
        let (screen, reader) = Heard::listen(keys.try_clone().expect("a copy"));
        Self { child, keys, side, before, screen, reader }
    }

    pub fn resize(&self, rows: u16, cols: u16) {
        tcsetwinsize(&self.keys, size(rows, cols)).expect("resized");
    }

    /// Types something.
    pub fn keys(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("typed");
    }

    pub fn signal(&self, signal: Signal) {
        send(&self.child, signal);
    }

    /// True while keys come as they are pressed, without an echo.
    pub fn is_raw(&self) -> bool {
        let now = tcgetattr(&self.side).expect("modes");
        now.local_modes != self.before.local_modes
    }

    /// True while what is typed is shown.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.side).expect("modes").local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end, at which the terminal has to be as it was.
    pub fn end(mut self) -> Ended {
        let status = wait(&mut self.child, LIMIT, || self.screen.text());
        let now = tcgetattr(&self.side).expect("modes");
        let modes = |t: &Termios| (t.input_modes, t.output_modes, t.control_modes, t.local_modes);
        assert_eq!(modes(&now), modes(&self.before), "the terminal was not restored");
        drop(self.side);
        self.reader.join().expect("read to the end");
        Ended { status, out: self.screen.text(), err: String::new() }
    }
}

fn size(rows: u16, cols: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }
}
