//! A process that asks for the credential in many threads at once.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::Home;
use crate::program;

/// Ended when dropped.
pub struct Asker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Asker {
    /// Starts one that asks in so many threads as soon as it may.
    pub fn ready(home: &Home, threads: usize) -> Self {
        let mut command = Command::new(program("asker"));
        command.arg("--config").arg(home.paths.config()).arg("--data").arg(home.paths.data());
        command.args(["--threads", &threads.to_string(), "acme"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        Self { process, lines }
    }

    /// Lets it ask.
    pub fn go(mut self) -> Self {
        drop(self.process.stdin.take());
        self
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, unless it has ended.
    pub fn kill(mut self) {
        let _ = self.process.kill();
        self.process.wait().expect("ended");
    }

    /// The answers that its threads got, once all have.
    pub fn answers(mut self) -> Vec<String> {
        let answers = self.lines.by_ref().map(|line| line.expect("text")).collect();
        assert!(self.process.wait().expect("ended").success());
        answers
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
