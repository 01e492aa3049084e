//! Questions at the terminal, which is restored however a question ends.

use std::io::{self, Write as _};

use authenticate::credential::Secret;
use dialoguer::theme::{ColorfulTheme, Theme as _};
use rustix::{
    io::Errno,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr},
};
use zeroize::Zeroizing;

use super::{output, signals::Guard, tty};

/// The longest answer, in bytes.
const MAX_LEN: usize = 64 * 1024;
/// The length at which a terminal silently cuts a line, including its end (4096 on Linux).
const MAX_TERMINAL_LINE: usize = 4096;

/// A terminal set up for questions, restored when this is dropped. Text typed before is dropped, because it was visible.
pub struct Prompt {
    echo: bool,
    _guard: Guard,
}

impl Prompt {
    /// A prompt that hides the typed text.
    pub fn hidden() -> io::Result<Self> {
        Self::new(false)
    }

    /// A prompt that shows the typed text.
    pub fn shown() -> io::Result<Self> {
        Self::new(true)
    }

    fn new(echo: bool) -> io::Result<Self> {
        let guard = Guard::new()?;
        let mut modes = tcgetattr(io::stdin())?;
        modes.local_modes.remove(LocalModes::ECHONL);
        modes.local_modes.set(LocalModes::ECHO, echo);
        modes.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        modes.input_modes.insert(InputModes::ICRNL);
        // After a stop (Ctrl-Z) and continue, the shell's terminal settings would show the typed text.
        modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tty::set(OptionalActions::Flush, &modes)?;
        Ok(Self { echo, _guard: guard })
    }

    /// Asks until there is an answer. The end of the input cancels the question.
    pub fn ask(&self, text: &str, may_be_blank: bool) -> io::Result<Secret> {
        let (mut prompt, theme) = (String::new(), ColorfulTheme::default());
        let formatted = match self.echo {
            true => theme.format_input_prompt(&mut prompt, &output::safe(text), None),
            false => theme.format_password_prompt(&mut prompt, &output::safe(text)),
        };
        formatted.map_err(io::Error::other)?;
        loop {
            write!(io::stderr(), "{prompt}")?;
            let answer = line();
            // A hidden Enter moved no cursor, nor does the end of the input.
            if !self.echo || matches!(answer, Ok(None)) {
                let _ = writeln!(io::stderr());
            }
            match answer? {
                None => {
                    output::note("cancelled: the input ended before an answer");
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Some(answer) if answer.is_empty() && !may_be_blank => {}
                Some(answer) => return Ok(answer),
            }
        }
    }

    /// Asks for one line that may be pasted. Further pasted lines are an error, not the answer to the next question.
    pub fn ask_for_a_line(&self, text: &str, may_be_blank: bool) -> io::Result<Secret> {
        let answer = self.ask(text, may_be_blank)?;
        while rustix::io::ioctl_fionread(io::stdin())? > 0 {
            if line()?.is_some_and(|more| !more.expose().trim().is_empty()) {
                return Err(invalid(
                    "it has more than one line; to use a text of several lines, name a file with a flag",
                ));
            }
        }
        Ok(answer)
    }

    /// Asks twice for a new secret, until both answers are equal.
    pub fn ask_twice(&self, text: &str) -> io::Result<Secret> {
        loop {
            let answer = self.ask(text, false)?;
            if self.ask("Repeat it", false)? == answer {
                return Ok(answer);
            }
            output::warn("the answers differ");
        }
    }
}

impl Drop for Prompt {
    /// Drops the rest of a paste, so that no later reader gets it.
    fn drop(&mut self) {
        tty::drop_typed();
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

/// Reads one typed line; `None` at the end of the input.
fn line() -> io::Result<Option<Secret>> {
    // A buffer that grows would leave copies of the secret behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    let mut more = Zeroizing::new([0; 4096]);
    while !line.ends_with(b"\n") {
        match rustix::io::read(io::stdin(), &mut more[..]) {
            Ok(0) => return Ok(None),
            Ok(count) if line.len() + count > MAX_LEN => {
                return Err(io::Error::other("it is longer than any secret"));
            }
            Ok(count) => line.extend_from_slice(&more[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if line.len() >= MAX_TERMINAL_LINE {
        return Err(invalid("it is longer than a terminal line can be; name a file with a flag instead"));
    }
    let text = std::str::from_utf8(&line).map_err(|_| invalid("it is not text (UTF-8)"))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
}
