//! Running a program that has or keeps a secret, for a bounded time.

use std::{
    collections::HashSet,
    io::{self, Read, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

/// The most bytes that a program may print. A key or a passphrase is shorter.
pub(super) const LIMIT: usize = 64 * 1024;
/// The number of bytes in a row that count as a part of the secret.
const PART: usize = 4;

/// The output of a program.
pub(super) struct Output {
    pub stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
    status: ExitStatus,
}

impl Output {
    /// Returns the program's error message, unless it holds a part of what was printed on standard output.
    pub(super) fn complaint(&self) -> String {
        let said = String::from_utf8_lossy(&self.stderr);
        let said = said.trim();
        if said.is_empty() {
            return self.status.to_string();
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
    let length = secret.len().min(PART);
    let parts: HashSet<&[u8]> = text.windows(length).collect();
    secret.windows(length).any(|part| parts.contains(part))
}

/// Runs a program to its end, with `input` on its standard input. Programs that it starts may live on.
///
/// The error names the program as `shown`, and holds nothing of what it printed on standard output.
pub(super) fn run(
    command: &mut Command,
    shown: &str,
    input: Option<&[u8]>,
    patience: Duration,
) -> Result<Output, String> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot run {shown}: {error}"))?;
    let ended = attend(&mut child, input, patience);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    match ended {
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => Err(format!("{shown} failed: {}", output.complaint())),
        Err(why) => Err(format!("{shown} {why}")),
    }
}

fn attend(child: &mut Child, input: Option<&[u8]>, patience: Duration) -> Result<Output, String> {
    let deadline = Instant::now() + patience;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        let input = Zeroizing::new(input.to_vec());
        // The program may end without reading it.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let left = || deadline.saturating_duration_since(Instant::now());
    let too_late = || format!("did not end within {} seconds: run it by hand", patience.as_secs());
    let failed = |error: io::Error| format!("failed: {error}");
    let read = |from: Receiver<io::Result<Zeroizing<Vec<u8>>>>| {
        from.recv_timeout(left()).map_err(|_| too_late())?.map_err(failed)
    };
    let (stdout, stderr) = (read(stdout)?, read(stderr)?);
    if stdout.len() > LIMIT {
        return Err(format!("printed more than {} KiB", LIMIT / 1024));
    }
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => return Ok(Output { stdout, stderr, status }),
            None if left().is_zero() => return Err(too_late()),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn reader(from: Option<impl Read + Send + 'static>) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
        let read = match from {
            Some(from) => from.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map(|_| bytes),
            None => Ok(bytes),
        };
        let _ = send.send(read);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, patience: Duration) -> Result<Output, String> {
        run(Command::new("sh").args(["-c", script]), "sh", None, patience)
    }

    fn failure(script: &str) -> String {
        sh(script, Duration::from_secs(20)).err().expect("failed")
    }

    #[test]
    fn complaint_with_a_part_of_the_secret_is_not_repeated() {
        assert_eq!(failure("echo no such entry >&2; exit 3"), "sh failed: no such entry");
        assert_eq!(failure("exit 3"), "sh failed: exit status: 3");
        for script in [
            "echo hunter2; echo wrong: hunter2 >&2; exit 1",
            "echo hunter2; echo half: unter >&2; exit 1",
            "echo abc; echo xabcx >&2; exit 1",
        ] {
            let said = failure(script);
            assert!(said.starts_with("sh failed: exit status: 1 (what it said is not shown"), "{said}");
        }
        assert_eq!(failure("echo hunter2; echo other words >&2; exit 1"), "sh failed: other words");
    }

    #[test]
    fn program_that_does_not_end_in_time_is_killed() {
        for script in ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 60 & echo"] {
            let start = Instant::now();
            let said = sh(script, Duration::from_millis(200)).err().expect("ended");
            assert!(said.contains("did not end within"), "{script}: {said}");
            assert!(start.elapsed() < Duration::from_secs(20));
        }
    }

    #[test]
    fn missing_program_is_not_started() {
        let mut missing = Command::new("/nonexistent/program");
        let said = run(&mut missing, "it", None, Duration::from_secs(20)).err().expect("ran");
        assert!(said.starts_with("cannot run it: "), "{said}");
    }
}
