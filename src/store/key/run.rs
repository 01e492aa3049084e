//! Running a program that has or keeps a secret, for a bounded time.

use std::{
    collections::HashSet,
    io::{self, Read, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

/// More than this is no key and no passphrase.
pub(super) const MOST: usize = 64 * 1024;
/// So many bytes in a row are a part of the secret.
const PART: usize = 4;

/// What a program printed.
pub(super) struct Output {
    pub stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
    pub success: bool,
    status: String,
}

/// Why it printed nothing.
pub(super) enum RunError {
    NotStarted(io::Error),
    TimedOut,
    /// It printed more than [`MOST`].
    TooMuch,
    Failed(io::Error),
}

impl Output {
    /// What it says of its failure, unless anything of what it printed on standard output is in that.
    pub fn complaint(&self) -> String {
        let said = String::from_utf8_lossy(&self.stderr);
        let said = said.trim();
        if said.is_empty() {
            return self.status.clone();
        }
        if shares_a_part(&self.stdout, &self.stderr) {
            return format!("{} (what it said is not shown, for it holds what it printed)", self.status);
        }
        said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
    }
}

fn shares_a_part(secret: &[u8], text: &[u8]) -> bool {
    let secret = secret.trim_ascii();
    if secret.is_empty() {
        return false;
    }
    if secret.len() < PART {
        return text.windows(secret.len()).any(|part| part == secret);
    }
    let parts: HashSet<&[u8]> = text.windows(PART).collect();
    secret.windows(PART).any(|part| parts.contains(part))
}

/// Runs it to its end, with `input` on its standard input. What it starts itself may live on.
pub(super) fn run(
    command: &mut Command,
    input: Option<&[u8]>,
    patience: Duration,
) -> Result<Output, RunError> {
    let deadline = Instant::now() + patience;
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(RunError::NotStarted)?;
    let ended = attend(&mut child, input, deadline);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

fn attend(child: &mut Child, input: Option<&[u8]>, deadline: Instant) -> Result<Output, RunError> {
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        let input = Zeroizing::new(input.to_vec());
        // It may end without reading.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let left = || deadline.saturating_duration_since(Instant::now());
    let read = |from: Receiver<io::Result<Zeroizing<Vec<u8>>>>| match from.recv_timeout(left()) {
        Ok(read) => read.map_err(RunError::Failed),
        Err(_) => Err(RunError::TimedOut),
    };
    let (stdout, stderr) = (read(stdout)?, read(stderr)?);
    if stdout.len() > MOST {
        return Err(RunError::TooMuch);
    }
    loop {
        match child.try_wait().map_err(RunError::Failed)? {
            Some(status) => {
                return Ok(Output { stdout, stderr, success: status.success(), status: status.to_string() });
            }
            None if left().is_zero() => return Err(RunError::TimedOut),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn reader(from: Option<impl Read + Send + 'static>) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 1));
        let read = match from {
            Some(from) => from.take(MOST as u64 + 1).read_to_end(&mut bytes).map(|_| bytes),
            None => Ok(bytes),
        };
        let _ = send.send(read);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, patience: Duration) -> Result<Output, RunError> {
        run(Command::new("sh").args(["-c", script]), None, patience)
    }

    fn complaint(script: &str) -> String {
        sh(script, Duration::from_secs(20)).unwrap_or_else(|_| panic!("ran")).complaint()
    }

    #[test]
    fn its_complaint_is_repeated_unless_it_holds_anything_of_the_secret() {
        assert_eq!(complaint("echo no such entry >&2; exit 3"), "no such entry");
        assert_eq!(complaint("exit 3"), "exit status: 3");
        for script in [
            "echo hunter2; echo wrong: hunter2 >&2; exit 1",
            "echo hunter2; echo half: unter >&2; exit 1",
            "echo abc; echo xabcx >&2; exit 1",
        ] {
            let said = complaint(script);
            assert!(said.starts_with("exit status: 1 (what it said is not shown"), "{said}");
        }
        assert_eq!(complaint("echo hunter2; echo other words >&2; exit 1"), "other words");
    }

    #[test]
    fn whoever_does_not_end_is_ended() {
        for script in ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 60 & echo"] {
            let start = Instant::now();
            let ended = sh(script, Duration::from_millis(200));
            assert!(matches!(ended, Err(RunError::TimedOut)), "{script}");
            assert!(start.elapsed() < Duration::from_secs(20));
        }
    }

    #[test]
    fn what_does_not_exist_is_not_started() {
        let ended = run(&mut Command::new("/nonexistent/program"), None, Duration::from_secs(20));
        assert!(matches!(ended, Err(RunError::NotStarted(_))));
    }
}
