//! The program at a real terminal.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write},
    os::unix::fs::OpenOptionsExt as _,
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::Instant,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::{
    fs::OFlags,
    process::{Pid, Signal, kill_process},
    termios::{LocalModes, tcgetattr},
};

use crate::{Home, LIMIT, program_path};

/// The program, running at a terminal.
pub struct Session {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Screen>,
    reader: JoinHandle<()>,
}

#[derive(Default)]
struct Screen {
    shown: Mutex<String>,
    more: Condvar,
}

impl Session {
    pub fn start<const N: usize>(home: &Home, arguments: [&str; N], environment: &[(&str, &str)]) -> Self {
        Self::start_after("", home, arguments, environment)
    }

    /// The same, after something was typed.
    pub fn start_after<const N: usize>(
        typed: &str,
        home: &Home,
        arguments: [&str; N],
        environment: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows: 40, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program_path());
        command.args(arguments);
        command.env_clear();
        command.cwd(home.path());
        command.env("TERM", "xterm-256color");
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut keyboard = pair.master.take_writer().expect("a keyboard");
        keyboard.write_all(typed.as_bytes()).expect("typed");
        let child = pair.slave.spawn_command(command).expect("started");
        // So that its end is the end of the terminal.
        drop(pair.slave);
        let screen = Arc::new(Screen::default());
        let reader = thread::spawn({
            let (screen, mut master) = (screen.clone(), pair.master.try_clone_reader().expect("a reader"));
            move || {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = master.read(&mut buffer) {
                    screen.shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
                    screen.more.notify_all();
                }
            }
        });
        Self { master: pair.master, keyboard, child, screen, reader }
    }

    /// Waits until the text has been shown.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        self.shows_times(1, text)
    }

    /// Waits until the text has been shown so many times.
    #[track_caller]
    pub fn shows_times(&self, times: usize, text: &str) -> &Self {
        let missing = |shown: &str| shown.matches(text).count() < times;
        let shown = self.screen.shown.lock().unwrap();
        let (shown, _) = self.screen.more.wait_timeout_while(shown, LIMIT, |shown| missing(shown)).unwrap();
        assert!(!missing(&shown), "{text:?} is not shown: {:?}", *shown);
        self
    }

    /// The terminal's own view of itself. While it is kept the terminal has no end.
    fn terminal(&self) -> File {
        let name = self.master.tty_name().expect("a name");
        let no_owner = OFlags::NOCTTY.bits().cast_signed();
        OpenOptions::new().read(true).write(true).custom_flags(no_owner).open(name).expect("the terminal")
    }

    /// Waits until what is typed is no longer shown.
    #[track_caller]
    pub fn masks(&self) -> &Self {
        let terminal = self.terminal();
        let deadline = Instant::now() + LIMIT;
        while shows_typing(&terminal) {
            assert!(Instant::now() < deadline, "what is typed is shown");
            thread::yield_now();
        }
        self
    }

    /// Waits until the question is over, and what is typed is shown again.
    #[track_caller]
    pub fn unmasks(&self) -> &Self {
        let terminal = self.terminal();
        let deadline = Instant::now() + LIMIT;
        while !shows_typing(&terminal) {
            assert!(Instant::now() < deadline, "what is typed is not shown again");
            thread::yield_now();
        }
        self
    }

    /// Types; Enter is `\r`.
    pub fn types(&mut self, text: &str) -> &Self {
        self.keyboard.write_all(text.as_bytes()).expect("typed");
        self.keyboard.flush().expect("typed");
        self
    }

    pub fn signals(&self, signal: Signal) -> &Self {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.expect("a process"), signal).expect("sent");
        self
    }

    /// Waits for the end, which must be this exit code; returns all that was shown.
    #[track_caller]
    pub fn exits(self, code: u8) -> String {
        let (status, shown) = self.wait();
        assert_eq!(status, u32::from(code), "{shown}");
        shown
    }

    /// Waits for the end, whichever it is; returns all that was shown.
    pub fn ends(self) -> String {
        self.wait().1
    }

    /// However it ends, the terminal is as it was.
    #[track_caller]
    fn wait(mut self) -> (u32, String) {
        // Kept open: Linux may say that a terminal has ended before it has given what was written last.
        let terminal = self.terminal();
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                break status;
            }
            assert!(Instant::now() < deadline, "it has not ended: {:?}", self.screen.shown.lock().unwrap());
            thread::yield_now();
        };
        assert!(shows_typing(&terminal), "the terminal was left without echo");
        let hidden = || {
            let shown = self.screen.shown.lock().unwrap();
            shown.rfind("\x1b[?25l") > shown.rfind("\x1b[?25h")
        };
        while hidden() {
            assert!(Instant::now() < deadline, "the cursor was left hidden ({status:?})");
            thread::yield_now();
        }
        drop(terminal);
        // What it wrote is read to the end.
        self.reader.join().expect("read");
        let shown = self.screen.shown.lock().unwrap().clone();
        (status.exit_code(), shown)
    }
}

fn shows_typing(terminal: &File) -> bool {
    tcgetattr(terminal).expect("its modes").local_modes.contains(LocalModes::ECHO)
}
