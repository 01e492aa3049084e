//! Asking, so that the terminal is as it was however the question ends.

use std::io::{self, Write as _};

use authenticate::credential::Secret;
use dialoguer::theme::{ColorfulTheme, Theme as _};
use rustix::{
    io::Errno,
    termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, tcflush, tcgetattr,
        tcsetattr,
    },
};
use zeroize::Zeroizing;

use super::{output, signals::Guard};

/// Nothing that is typed is longer.
const MOST: usize = 64 * 1024;
/// A line of a terminal, with its end, is cut to this without a word (`MAX_CANON`, and Linux has no more either).
const TERMINALS_MOST: usize = 4096;

/// While it lives, questions are answered with lines. What was typed before is dropped: it was seen.
pub struct Asking {
    shows: bool,
    _guard: Guard,
}

impl Asking {
    /// Nothing that is typed is shown.
    pub fn hidden() -> io::Result<Self> {
        Self::new(false)
    }

    /// What is typed is shown.
    pub fn shown() -> io::Result<Self> {
        Self::new(true)
    }

    fn new(shows: bool) -> io::Result<Self> {
        let guard = Guard::new()?;
        let mut modes = tcgetattr(io::stdin())?;
        modes.local_modes.remove(LocalModes::ECHONL);
        modes.local_modes.set(LocalModes::ECHO, shows);
        modes.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        modes.input_modes.insert(InputModes::ICRNL);
        // A shell that stops us would show what is typed after it lets us go on.
        modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        Ok(Self { shows, _guard: guard })
    }

    /// Asks until there is an answer. The end of the input is none: it dismisses the question.
    pub fn ask(&self, text: &str, may_be_blank: bool) -> io::Result<Secret> {
        let (mut prompt, theme) = (String::new(), ColorfulTheme::default());
        let formatted = match self.shows {
            true => theme.format_input_prompt(&mut prompt, text, None),
            false => theme.format_password_prompt(&mut prompt, text),
        };
        formatted.map_err(io::Error::other)?;
        loop {
            write!(io::stderr(), "{prompt}")?;
            let answer = line();
            // Where nothing is shown, Enter was not either; nor is the end of the input anywhere.
            if !self.shows || matches!(answer, Ok(None)) {
                let _ = writeln!(io::stderr());
            }
            match answer? {
                None => {
                    output::note("nothing was entered: the input has ended");
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Some(answer) if answer.is_empty() && !may_be_blank => {}
                Some(answer) => return Ok(answer),
            }
        }
    }

    /// The same for something that may have been pasted and has one line: what follows it is no answer to anybody else.
    pub fn ask_for_a_line(&self, text: &str, may_be_blank: bool) -> io::Result<Secret> {
        let answer = self.ask(text, may_be_blank)?;
        while rustix::io::ioctl_fionread(io::stdin())? > 0 {
            if line()?.is_some_and(|more| !more.expose().trim().is_empty()) {
                return Err(invalid(
                    "it has more than one line; a file with several is for the flags that name one",
                ));
            }
        }
        Ok(answer)
    }

    /// The same for something new: asks twice, until both are the same.
    pub fn ask_twice(&self, text: &str) -> io::Result<Secret> {
        loop {
            let answer = self.ask(text, false)?;
            if self.ask("The same again", false)? == answer {
                return Ok(answer);
            }
            output::warn("those were not the same");
        }
    }
}

impl Drop for Asking {
    /// Nothing of a paste reaches whoever reads next.
    fn drop(&mut self) {
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// One line as it is typed. `None`: there is no more.
fn line() -> io::Result<Option<Secret>> {
    // Large enough from the start: a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MOST));
    let mut more = Zeroizing::new([0; 4096]);
    while !line.ends_with(b"\n") {
        match rustix::io::read(io::stdin(), &mut more[..]) {
            Ok(0) => return Ok(None),
            Ok(count) if line.len() + count > MOST => {
                return Err(io::Error::other("it is longer than any secret"));
            }
            Ok(count) => line.extend_from_slice(&more[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if line.len() >= TERMINALS_MOST {
        return Err(invalid("it is longer than a terminal takes; the flags that name a file take it"));
    }
    let text = std::str::from_utf8(&line).map_err(|_| invalid("it is not text (UTF-8)"))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
}
