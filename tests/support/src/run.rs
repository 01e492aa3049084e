//! A run of the program, and how it ended.

use std::{
    ffi::OsStr,
    io::Write as _,
    process::{Child, Command, Stdio},
    sync::mpsc,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{LIMIT, json};

/// A run of the program.
pub struct Run {
    command: Command,
    input: Vec<u8>,
    stdout: Stdio,
    stderr: Stdio,
}

impl Run {
    /// Runs a command without input, and reads what it prints.
    pub fn new(command: Command) -> Self {
        Self { command, input: Vec::new(), stdout: Stdio::piped(), stderr: Stdio::piped() }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Limits its memory.
    pub fn within_megabytes(self, megabytes: u64) -> Self {
        self.after(&format!("ulimit -v {}", megabytes * 1024))
    }

    /// Limits its open files.
    pub fn with_descriptors(self, most: u32) -> Self {
        self.after(&format!("ulimit -n {most}"))
    }

    /// Drops the privileges of root, so that modes of files count.
    pub fn without_privileges(self) -> Self {
        let drop = r#"setpriv --bounding-set=-all --inh-caps=-all "$0" "$@""#;
        self.after(&format!(r#"[ "$(id -u)" != 0 ] || exec {drop}"#))
    }

    /// Lets no file grow, as on a full disk.
    pub fn without_room(self) -> Self {
        self.after("ulimit -f 0")
    }

    /// Closes its files to their owner, as far as it does not see to them itself.
    pub fn with_umask(self, mask: &str) -> Self {
        self.after(&format!("umask {mask}"))
    }

    /// Starts it from a shell that has run a script.
    fn after(self, script: &str) -> Self {
        self.inside(&["/bin/sh", "-c", &format!("{script}; exec \"$0\" \"$@\"")])
    }

    /// Starts it from another program, whose last arguments it becomes.
    pub fn inside(mut self, program: &[&str]) -> Self {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]);
        command.arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().expect("a directory"));
        self.command = command;
        self
    }

    /// Sends its standard output elsewhere.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.stdout = to.into();
        self
    }

    /// Sends its standard error elsewhere.
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.stderr = to.into();
        self
    }

    /// Gives it this standard input.
    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_owned();
        self
    }

    /// Starts it and leaves the rest to the caller.
    pub fn starts(mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(self.stdout).stderr(self.stderr);
        self.command.spawn().expect("started")
    }

    /// Runs it to its end, which must be this exit code.
    #[track_caller]
    pub fn exits(self, code: u8) -> Outcome {
        let outcome = self.ends();
        assert_eq!(outcome.code, Some(code.into()), "{outcome:#?}");
        outcome
    }

    /// Runs it to its end. It never prints escape codes into a pipe, and never panics.
    #[track_caller]
    pub fn ends(self) -> Outcome {
        let command = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let input = self.input.clone();
        let mut child = self.starts();
        // It may have ended without reading it.
        let _ = child.stdin.take().expect("its input").write_all(&input);
        let output = wait(child, &command);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let outcome = Outcome {
            command,
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!outcome.all().contains('\x1b'), "escape codes: {outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        outcome
    }
}

/// Waits for the end of a program; kills one that hangs, and fails the test.
#[track_caller]
fn wait(child: Child, command: &str) -> std::process::Output {
    let pid = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = end.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            let _ = kill_process(pid, Signal::KILL);
        }
        hangs
    });
    let output = child.wait_with_output().expect("ended");
    drop(ended);
    assert!(!watch.join().expect("watched"), "{command} hangs");
    output
}

/// The end of a run.
#[derive(Debug)]
pub struct Outcome {
    pub command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Standard output and standard error.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts that this is on standard error, and nothing on standard output.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "{text:?} is not said: {self:#?}");
        assert!(self.stdout.is_empty(), "{self:#?}");
        self
    }

    /// Asserts that this is on neither stream.
    #[track_caller]
    pub fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.all().contains(text), "{text:?} is said: {self:#?}");
        self
    }

    /// Asserts that this is on standard output.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "{text:?} is not printed: {self:#?}");
        self
    }

    /// The JSON document on its standard output, which has our version.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value = json(&self.stdout);
        assert_eq!(value["schema"], 1, "{self:#?}");
        value
    }
}
