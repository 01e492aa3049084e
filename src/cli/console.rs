//! The console of a vendor's CLI: a raw terminal while it runs, restored in every case.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use authenticate::{
    credential::Secret,
    ui::{Console, Size, Terminal},
};
use crossterm::terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use zeroize::Zeroizing;

/// The longest line that is read: longer than any redirect address.
const MAX_LINE: usize = 16 * 1024;
/// The time after which the keyboard reader notices that nobody listens.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Opens the console of this process. Its output goes to standard error, or to standard output.
pub fn open(to_stdout: bool) -> io::Result<Console> {
    let output: Box<dyn tokio::io::AsyncWrite + Send + Unpin> =
        if to_stdout { Box::new(tokio::io::stdout()) } else { Box::new(tokio::io::stderr()) };
    let shown = if to_stdout { io::stdout().is_terminal() } else { io::stderr().is_terminal() };
    let errors = Box::new(tokio::io::stderr());
    if !(shown && io::stdin().is_terminal()) {
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

/// Reads keystrokes in a thread, which takes nothing from the terminal once nobody listens.
fn keyboard() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        read_while(|| !sender.is_closed(), |bytes| drop(sender.blocking_send(bytes.to_vec())));
    });
    receiver
}

/// Reads lines in a thread, from a terminal or a pipe.
pub fn lines() -> mpsc::Receiver<Secret> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
        let send = |line: &mut Vec<u8>| {
            let text = Secret::from(String::from_utf8_lossy(line).into_owned());
            line.clear();
            drop(sender.blocking_send(text));
        };
        let wanted = || !sender.is_closed();
        read_while(wanted, |bytes| {
            for &byte in bytes {
                match byte {
                    b'\n' | b'\r' => send(&mut line),
                    _ if line.len() == MAX_LINE => {}
                    _ => line.push(byte),
                }
            }
        });
        // The last line of a pipe may have no newline.
        send(&mut line);
    });
    receiver
}

/// Reads standard input until it ends or is no longer wanted.
fn read_while(wanted: impl Fn() -> bool, mut take: impl FnMut(&[u8])) {
    let stdin = io::stdin();
    let mut buffer = Zeroizing::new([0; 1024]);
    while wanted() {
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: POLL_INTERVAL.subsec_nanos().into() };
        match poll(&mut ready, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) if wanted() => {}
            _ => break,
        }
        // A pipe or file that returns nothing has ended, and so has a terminal that hung up.
        let hung_up = ready[0].revents().contains(PollFlags::HUP) || !stdin.is_terminal();
        match rustix::io::read(&stdin, &mut buffer[..]) {
            // Ctrl-D on an empty line.
            Ok(0) if !hung_up => {}
            Ok(0) => break,
            Ok(count) => take(&buffer[..count]),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => break,
        }
    }
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
