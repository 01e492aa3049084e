//! The console of a vendor's CLI: a raw terminal while it runs, restored in every case.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use authenticate::ui::{Console, Lines, Size, Terminal, Typed, TypedLines};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use zeroize::Zeroizing;

use super::{patient::Patient, signals::Guard, tty};

/// The time after which the keyboard reader notices that nobody listens.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Opens the console of this process. Its output goes to standard error, or to standard output.
pub fn open(to_stdout: bool) -> io::Result<Console> {
    let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let output = Box::new(Patient::new(if to_stdout { stdout } else { stderr }));
    let errors = Box::new(Patient::new(stderr));
    if !tty::is_ours() {
        return Ok(Console { input: None, output, errors, terminal: None });
    }
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    let set_raw = move |on: bool| {
        if !on {
            // Late answers of the terminal to the CLI.
            tty::drop_typed();
        }
        tty::set(OptionalActions::Now, if on { &raw } else { &before })
    };
    Ok(Console {
        input: Some(keyboard()),
        output,
        errors,
        terminal: Some(Terminal { size: sizes()?, raw: Box::new(set_raw) }),
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
pub fn lines() -> Lines {
    let (sender, received) = mpsc::channel(16);
    let guard = edited_by_us().ok();
    let is_edited = guard.is_some();
    std::thread::spawn(move || {
        let mut lines = TypedLines::default();
        read_while(
            || !sender.is_closed(),
            |bytes| {
                for typed in lines.feed(bytes) {
                    match typed {
                        Typed::Shown(text) if is_edited => tty::show(&text),
                        Typed::Line(line) => drop(sender.blocking_send(line)),
                        Typed::Shown(_) | Typed::Key(_) => {}
                    }
                }
            },
        );
        // The last line of a pipe may have no newline.
        drop(sender.blocking_send(lines.rest()));
    });
    Lines { received, guard: Box::new(guard) }
}

/// Has the terminal pass on each key: a line that it edits itself is cut at 4,095 bytes.
fn edited_by_us() -> io::Result<Guard> {
    let guard = Guard::beside_work()?;
    let mut modes = tcgetattr(io::stdin())?;
    modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tty::set(OptionalActions::Now, &modes)?;
    Ok(guard)
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
            // Reading in the background would stop this process.
            Ok(_) if wanted() && stdin.is_terminal() && !tty::is_ours() => {
                std::thread::sleep(POLL_INTERVAL);
                continue;
            }
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
    let (sender, receiver) = watch::channel(tty::size());
    let mut changes = signal(SignalKind::window_change())?;
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            if sender.send(tty::size()).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}
