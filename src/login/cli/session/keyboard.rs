//! Sorts what a person types: keys for the CLI, a pasted redirect, and the second Ctrl-C.

use std::time::{Duration, Instant};

use crate::{
    login::loopback::{ExpectedCallback, looks_like_redirect},
    ui::{self, TypedLines},
};

/// The time within which a second Ctrl-C ends the login.
const TWICE: Duration = Duration::from_secs(2);
const CTRL_C: u8 = 3;
/// Ctrl-C as a terminal sends it to programs that asked for unambiguous keys (the kitty protocol).
const CTRL_C_KITTY: &[u8] = b"\x1b[99;5u";

/// The meaning of something typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Text of a line, to be shown: the terminal shows nothing.
    Shown(String),
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
    /// Whether nothing was typed after the last Ctrl-C.
    is_interrupted: bool,
    paste: Option<Paste>,
}

struct Paste {
    expected: ExpectedCallback,
    lines: TypedLines,
}

impl Keyboard {
    /// From now on, reads lines that look like a redirect as the redirect of this login.
    pub(super) fn start_paste(&mut self, expected: ExpectedCallback) {
        self.paste = Some(Paste { expected, lines: TypedLines::default() });
    }

    /// From now on, passes all input to the CLI.
    pub(super) fn stop_paste(&mut self) {
        self.paste = None;
    }

    /// Returns whether the last key was Ctrl-C.
    pub(super) fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// Takes what was typed.
    pub(super) fn typed(&mut self, bytes: Vec<u8>) -> Vec<Typed> {
        if (0..count_ctrl_c(&bytes)).any(|_| self.is_second_ctrl_c()) {
            return vec![Typed::Interrupt];
        }
        self.is_interrupted = bytes.ends_with(&[CTRL_C]) || bytes.ends_with(CTRL_C_KITTY);
        match &mut self.paste {
            Some(paste) => paste.typed(&bytes),
            None => vec![Typed::Keys(bytes)],
        }
    }

    fn is_second_ctrl_c(&mut self) -> bool {
        self.last_ctrl_c.replace(Instant::now()).is_some_and(|last| last.elapsed() < TWICE)
    }
}

impl Paste {
    fn typed(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let typed = self.lines.feed(bytes).into_iter();
        let typed = typed.map(|typed| match typed {
            ui::Typed::Shown(text) => Typed::Shown(text),
            ui::Typed::Key(key) => Typed::Keys(vec![key]),
            ui::Typed::Line(line) => self.line(line.expose().trim()),
        });
        typed.collect()
    }

    fn line(&self, line: &str) -> Typed {
        if !looks_like_redirect(line) {
            return Typed::Keys(format!("{line}\r").into_bytes());
        }
        match self.expected.check(line) {
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
            assert_eq!(keyboard.typed(ctrl_c.to_vec()), [Typed::Keys(ctrl_c.to_vec())]);
            assert!(keyboard.is_interrupted());
            assert_eq!(keyboard.typed(ctrl_c.to_vec()), [Typed::Interrupt]);
            assert_eq!(Keyboard::default().typed([ctrl_c, ctrl_c].concat()), [Typed::Interrupt]);
            let mut keyboard = Keyboard::default();
            keyboard.typed([ctrl_c, b"y"].concat());
            assert!(!keyboard.is_interrupted());
        }
    }

    /// The results of typing without the text that is shown.
    fn results(keyboard: &mut Keyboard, typed: &str) -> Vec<Typed> {
        let mut results = keyboard.typed(typed.as_bytes().to_vec());
        results.retain(|typed| !matches!(typed, Typed::Shown(_)));
        results
    }

    #[test]
    fn pasted_redirect_of_any_length_and_in_pieces_is_checked_as_a_line() {
        let mut keyboard = pasting();
        let code = "c".repeat(10_000);
        let paste = format!("\x1b[200~http://localhost:1455/callback?code={code}&state=s1\x1b[201~");
        let (start, rest) = paste.split_at(5000);
        assert_eq!(results(&mut keyboard, start), []);
        assert_eq!(results(&mut keyboard, rest), []);
        let target = format!("/callback?code={code}&state=s1");
        assert_eq!(results(&mut keyboard, "\r"), [Typed::Redirect { port: 1455, target }]);
        assert!(matches!(results(&mut keyboard, "?code=c&state=other\n")[..], [Typed::Invalid(_)]));
    }

    #[test]
    fn every_line_of_a_paste_arrives() {
        let mut keyboard = pasting();
        let typed = results(&mut keyboard, "yes\nno\n?code=c&state=s1\nmore\n\x03");
        let target = "/callback?code=c&state=s1".to_owned();
        let keys = |text: &str| Typed::Keys(text.as_bytes().to_vec());
        let redirect = Typed::Redirect { port: 1455, target };
        assert_eq!(typed, [keys("yes\r"), keys("no\r"), redirect, keys("more\r"), keys("\x03")]);
        keyboard.stop_paste();
        assert_eq!(keyboard.typed(b"n".to_vec()), [keys("n")]);
    }
}
