//! The terminal that a vendor's CLI is given: raw while it runs, restored on every way out.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use authenticate::{
    engine::container::Size,
    ui::{Console, Terminal},
};
use crossterm::terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

/// How long the reader of the keyboard takes to notice that it is no longer wanted.
const NOTICE: Duration = Duration::from_millis(100);

/// The console of this process; its output goes to standard error when standard output is for data.
pub fn open(data_on_stdout: bool) -> io::Result<Console> {
    let (stdin, stdout) = (io::stdin().is_terminal(), io::stdout().is_terminal());
    let interactive = stdin && if data_on_stdout { io::stderr().is_terminal() } else { stdout };
    let output: Box<dyn tokio::io::AsyncWrite + Send + Unpin> =
        if data_on_stdout { Box::new(tokio::io::stderr()) } else { Box::new(tokio::io::stdout()) };
    let errors = Box::new(tokio::io::stderr());
    if !interactive {
        return Ok(Console { input: None, output, errors, terminal: None });
    }
    let raw = |on: bool| if on { terminal::enable_raw_mode() } else { terminal::disable_raw_mode() };
    Ok(Console {
        input: Some(keyboard()),
        output,
        errors,
        terminal: Some(Terminal { size: sizes()?, raw: Box::new(raw) }),
    })
}

/// What is typed, as it comes. A thread waits for it, and takes nothing from the terminal once nobody listens.
fn keyboard() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let stdin = io::stdin();
        let mut buffer = [0; 1024];
        while !sender.is_closed() {
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            let timeout = Timespec { tv_sec: 0, tv_nsec: NOTICE.subsec_nanos().into() };
            match poll(&mut ready, Some(&timeout)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) if !sender.is_closed() => {}
                _ => break,
            }
            let hung_up = ready[0].revents().contains(PollFlags::HUP);
            match rustix::io::read(&stdin, &mut buffer) {
                // Ctrl-D on an empty line; a terminal that is gone hangs up.
                Ok(0) if !hung_up => {}
                Ok(0) => break,
                Ok(count) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => break,
            }
        }
    });
    receiver
}

/// The terminal's size, now and whenever it changes.
fn sizes() -> io::Result<watch::Receiver<Size>> {
    let now = || match terminal::size() {
        Ok((cols, rows)) if cols > 0 && rows > 0 => Size { rows, cols },
        _ => Size { rows: 24, cols: 80 },
    };
    let (sender, receiver) = watch::channel(now());
    let mut changes = signal(SignalKind::window_change())?;
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            if sender.send(now()).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}
