//! The program at a terminal: what a person sees there, and types.

use std::{thread, time::Instant};

use rustix::process::Signal;

use crate::{Home, LIMIT, tty::OnTerminal};

/// The program, running at a terminal.
pub struct Session(OnTerminal);

impl Session {
    pub fn start<const N: usize>(home: &Home, arguments: [&str; N], environment: &[(&str, &str)]) -> Self {
        Self::start_after("", home, arguments, environment)
    }

    /// Starts it after something was typed.
    pub fn start_after<const N: usize>(
        typed: &str,
        home: &Home,
        arguments: [&str; N],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = home.command(&arguments);
        command.envs(environment.iter().copied());
        Self(OnTerminal::start_after(typed, &command, 40, 200))
    }

    /// Waits until the text has been shown.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        self.shows_times(1, text)
    }

    /// Waits until the text has been shown so many times.
    #[track_caller]
    pub fn shows_times(&self, times: usize, text: &str) -> &Self {
        let shown = self.0.screen.wait_until(|shown| shown.matches(text).count() >= times);
        assert!(shown.matches(text).count() >= times, "{text:?} is not shown: {shown:?}");
        self
    }

    /// Waits until what is typed is no longer shown.
    #[track_caller]
    pub fn masks(&self) -> &Self {
        self.echoes(false)
    }

    /// Waits until the question is over, and what is typed is shown again.
    #[track_caller]
    pub fn unmasks(&self) -> &Self {
        self.echoes(true)
    }

    #[track_caller]
    fn echoes(&self, echo: bool) -> &Self {
        let deadline = Instant::now() + LIMIT;
        while self.0.echoes() != echo {
            assert!(Instant::now() < deadline, "whether what is typed is shown: never {echo}");
            thread::yield_now();
        }
        self
    }

    /// Types; Enter is `\r`.
    pub fn types(&mut self, text: &str) -> &Self {
        self.0.keys(text);
        self
    }

    pub fn signals(&self, signal: Signal) -> &Self {
        self.0.signal(signal);
        self
    }

    /// Waits for the end, which must be this exit code; returns all that was shown.
    #[track_caller]
    pub fn exits(self, code: u8) -> String {
        self.wait().expect(code.into()).out
    }

    /// Waits for the end, whichever it is; returns all that was shown.
    pub fn ends(self) -> String {
        self.wait().out
    }

    /// Waits for the end, at which the terminal and its cursor are as they were.
    #[track_caller]
    fn wait(self) -> crate::Ended {
        let ended = self.0.end();
        assert!(
            ended.out.rfind("\x1b[?25l") <= ended.out.rfind("\x1b[?25h"),
            "the cursor was left hidden: {ended:?}"
        );
        ended
    }
}
