//! A process whose output can be waited for, and what is known of it when it has ended.

use std::{
    fs,
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::LIMIT;

/// The output of a stream so far.
#[derive(Clone, Default)]
pub struct Heard(Arc<(Mutex<SoFar>, Condvar)>);

/// The bytes, and whether they have ended.
type SoFar = (Vec<u8>, bool);

impl Heard {
    /// Listens to the stream until its end.
    pub fn listen(mut stream: impl Read + Send + 'static) -> (Self, JoinHandle<()>) {
        let heard = Self::default();
        let ours = heard.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let mut said = ours.0.0.lock().unwrap();
                said.0.extend_from_slice(&buffer[..count]);
                said.1 = count == 0;
                ours.0.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        (heard, thread)
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().unwrap().0).into_owned()
    }

    /// Waits until all that was said satisfies a condition, or has ended; returns it.
    pub fn wait_until(&self, mut is_so: impl FnMut(&str) -> bool) -> String {
        let said = self.0.0.lock().unwrap();
        let missing = |said: &mut SoFar| !is_so(&String::from_utf8_lossy(&said.0)) && !said.1;
        let (said, _) = self.0.1.wait_timeout_while(said, LIMIT, missing).unwrap();
        String::from_utf8_lossy(&said.0).into_owned()
    }

    /// Waits until `text` was said; returns all that was said by then.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let said = self.0.0.lock().unwrap();
        let mut searched = 0;
        let missing = |said: &mut SoFar| {
            let found = contains(&said.0[searched..], text.as_bytes());
            searched = said.0.len().saturating_sub(text.len());
            !found && !said.1
        };
        let (said, _) = self.0.1.wait_timeout_while(said, LIMIT, missing).unwrap();
        let all = String::from_utf8_lossy(&said.0).into_owned();
        let start: String = all.chars().take(10_000).collect();
        assert!(all.contains(text), "{text:?} was not said, but:\n{start}");
        all
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A running process.
pub struct Running {
    child: Child,
    pub out: Heard,
    pub err: Heard,
    readers: [JoinHandle<()>; 2],
}

impl Running {
    /// Starts it without a standard input.
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (out, out_reader) = Heard::listen(child.stdout.take().expect("piped"));
        let (err, err_reader) = Heard::listen(child.stderr.take().expect("piped"));
        Self { child, out, err, readers: [out_reader, err_reader] }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        send(&self.child, signal);
    }

    pub fn is_running(&self) -> bool {
        // Its number is ours until it has been waited for.
        let status = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z")
    }

    /// The most memory that it has used up to now, in kilobytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Waits for its end.
    pub fn end(self) -> Ended {
        self.end_within(LIMIT)
    }

    /// Waits for its end, so long and no longer.
    pub fn end_within(mut self, limit: Duration) -> Ended {
        let status = wait(&mut self.child, limit, || format!("{}\n{}", self.out.text(), self.err.text()));
        for reader in self.readers {
            reader.join().expect("read to the end");
        }
        Ended { status, out: self.out.text(), err: self.err.text() }
    }
}

pub fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process id")).expect("a process id");
    kill_process(pid, signal).expect("sent");
}

/// Waits for the end of a process; one that never ends is ended, with what it said.
pub fn wait(child: &mut Child, limit: Duration, said: impl Fn() -> String) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            panic!("process {} does not end; it said:\n{}", child.id(), said());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Its exit code has to be this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}
