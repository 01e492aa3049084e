//! Sorts what a person types: keys for the CLI, a pasted redirect, and the second Ctrl-C.

use std::time::{Duration, Instant};

use crate::login::loopback::{ExpectedCallback, looks_like_redirect};

/// The time within which a second Ctrl-C ends the login.
const TWICE: Duration = Duration::from_secs(2);
const CTRL_C: u8 = 3;
/// Ctrl-C as a terminal sends it to programs that asked for unambiguous keys (the kitty protocol).
const CTRL_C_KITTY: &[u8] = b"\x1b[99;5u";

/// The meaning of something typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Part of a line that is not complete.
    Nothing,
    /// Keys for the CLI.
    Keys(Vec<u8>),
    /// This login's redirect.
    Redirect {
        /// The port in the container.
        port: u16,
        /// The path and query.
        target: String,
    },
    /// A redirect that is not this login's, with the reason.
    Invalid(&'static str),
    /// The second Ctrl-C.
    Interrupt,
}

/// The state between two pieces of input.
#[derive(Default)]
pub(super) struct Keyboard {
    last_ctrl_c: Option<Instant>,
    paste: Option<Paste>,
}

struct Paste {
    expected: ExpectedCallback,
    line: Vec<u8>,
}

impl Keyboard {
    /// From now on, reads lines that look like a redirect as the redirect of this login.
    pub(super) fn start_paste(&mut self, expected: ExpectedCallback) {
        self.paste = Some(Paste { expected, line: Vec::new() });
    }

    /// From now on, passes all input to the CLI.
    pub(super) fn stop_paste(&mut self) {
        self.paste = None;
    }

    /// Takes what was typed.
    pub(super) fn typed(&mut self, bytes: Vec<u8>) -> Typed {
        if (0..count_ctrl_c(&bytes)).any(|_| self.is_second_ctrl_c()) {
            return Typed::Interrupt;
        }
        match &mut self.paste {
            Some(paste) => paste.typed(&bytes),
            None => Typed::Keys(bytes),
        }
    }

    fn is_second_ctrl_c(&mut self) -> bool {
        self.last_ctrl_c.replace(Instant::now()).is_some_and(|last| last.elapsed() < TWICE)
    }
}

impl Paste {
    fn typed(&mut self, bytes: &[u8]) -> Typed {
        self.line.extend_from_slice(bytes);
        let Some(end) = self.line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return Typed::Nothing;
        };
        let line = String::from_utf8_lossy(&self.line[..end]).trim().to_owned();
        self.line.clear();
        if !looks_like_redirect(&line) {
            return Typed::Keys(format!("{line}\r").into_bytes());
        }
        match self.expected.check(&line) {
            Ok(target) => Typed::Redirect { port: self.expected.port(), target },
            Err(problem) => Typed::Invalid(problem),
        }
    }
}

fn count_ctrl_c(bytes: &[u8]) -> usize {
    let plain = bytes.iter().filter(|byte| **byte == CTRL_C).count();
    plain + bytes.windows(CTRL_C_KITTY.len()).filter(|window| *window == CTRL_C_KITTY).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasting() -> Keyboard {
        let redirect = "http://localhost:1455/callback".parse().expect("a URL");
        let mut keyboard = Keyboard::default();
        keyboard.start_paste(ExpectedCallback::new(redirect, Some("s1".into())));
        keyboard
    }

    #[test]
    fn ctrl_c_twice_in_a_moment_interrupts() {
        for ctrl_c in [&[CTRL_C][..], CTRL_C_KITTY] {
            let mut keyboard = Keyboard::default();
            assert_eq!(keyboard.typed(ctrl_c.to_vec()), Typed::Keys(ctrl_c.to_vec()));
            assert_eq!(keyboard.typed(ctrl_c.to_vec()), Typed::Interrupt);
            assert_eq!(Keyboard::default().typed([ctrl_c, ctrl_c].concat()), Typed::Interrupt);
        }
    }

    #[test]
    fn pasted_redirect_in_pieces_is_checked_as_a_line() {
        let mut keyboard = pasting();
        assert_eq!(keyboard.typed(b"http://localhost:1455/callback?co".to_vec()), Typed::Nothing);
        let target = "/callback?code=c&state=s1".to_owned();
        assert_eq!(keyboard.typed(b"de=c&state=s1\r".to_vec()), Typed::Redirect { port: 1455, target });
        assert!(matches!(keyboard.typed(b"?code=c&state=other\n".to_vec()), Typed::Invalid(_)));
    }

    #[test]
    fn line_that_is_no_redirect_is_sent_to_the_cli() {
        let mut keyboard = pasting();
        assert_eq!(keyboard.typed(b"yes\n".to_vec()), Typed::Keys(b"yes\r".to_vec()));
        keyboard.stop_paste();
        assert_eq!(keyboard.typed(b"n".to_vec()), Typed::Keys(b"n".to_vec()));
    }
}
