//! A step of a script, and its syntax.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::signals::Signal;
use crate::text::Text;

/// A step. The help says what each does.
#[derive(Clone)]
pub enum Step {
    Print(Text),
    PrintRaw(Text),
    PrintErr(Text),
    PrintBytesSplit(usize, Text),
    Wrap(usize, Text),
    Flood(usize),
    ReadLine,
    ExpectLine(Text),
    Raw,
    Write(String, Text),
    Append(String, Text),
    Copy(String, String),
    Rename(String, String),
    Remove(String),
    Symlink(String, String),
    Hardlink(String, String),
    Mkfifo(String),
    Mkdir(String, u32),
    Chmod(u32, String),
    Sparse(String, u64),
    Deep(String, usize),
    Size,
    Isatty,
    Argv,
    Env(String),
    Id,
    Caps,
    Mounts,
    Pwd,
    Cat(String),
    List(String),
    Connect(String),
    State(Text),
    Bind(SocketAddr),
    Listen(SocketAddr, String),
    Sleep(u64),
    WaitFor(String),
    IgnoreSignal(Signal),
    OnSignal(Signal, Box<Step>),
    Stay,
    Exit(u8),
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = Words(line);
        let step = match words.take() {
            "print" => Self::Print(words.text()),
            "print-raw" => Self::PrintRaw(words.text()),
            "print-err" => Self::PrintErr(words.text()),
            "print-bytes-split" => Self::PrintBytesSplit(words.positive("N")?, words.text()),
            "wrap" => Self::Wrap(words.positive("WIDTH")?, words.text()),
            "flood" => Self::Flood(words.parsed("BYTES")?),
            "read-line" => Self::ReadLine,
            "expect-line" => Self::ExpectLine(words.text()),
            "raw" => Self::Raw,
            "write" => Self::Write(words.word("PATH")?, words.text()),
            "append" => Self::Append(words.word("PATH")?, words.text()),
            "copy" => Self::Copy(words.word("SRC")?, words.word("DST")?),
            "rename" => Self::Rename(words.word("SRC")?, words.word("DST")?),
            "remove" => Self::Remove(words.word("PATH")?),
            "symlink" => Self::Symlink(words.word("TARGET")?, words.word("PATH")?),
            "hardlink" => Self::Hardlink(words.word("SRC")?, words.word("DST")?),
            "mkfifo" => Self::Mkfifo(words.word("PATH")?),
            "mkdir" => Self::Mkdir(words.word("PATH")?, words.mode()?),
            "chmod" => Self::Chmod(words.mode()?, words.word("PATH")?),
            "sparse" => Self::Sparse(words.word("PATH")?, words.parsed("BYTES")?),
            "deep" => Self::Deep(words.word("PATH")?, words.parsed("N")?),
            "size" => Self::Size,
            "isatty" => Self::Isatty,
            "argv" => Self::Argv,
            "env" => Self::Env(words.word("NAME")?),
            "id" => Self::Id,
            "caps" => Self::Caps,
            "mounts" => Self::Mounts,
            "pwd" => Self::Pwd,
            "cat" => Self::Cat(words.word("PATH")?),
            "list" => Self::List(words.word("PATH")?),
            "connect" => Self::Connect(words.word("ADDRESS")?),
            "state" => Self::State(words.text()),
            "bind" => Self::Bind(words.address()?),
            "listen" => Self::Listen(words.address()?, words.word("FILE")?),
            "sleep" => Self::Sleep(words.parsed("MS")?),
            "wait-for" => Self::WaitFor(words.word("PATH")?),
            "ignore-signal" => Self::IgnoreSignal(words.parsed("NAME")?),
            "on-signal" => {
                let signal = words.parsed("NAME")?;
                Self::OnSignal(signal, Box::new(words.rest().parse()?))
            }
            "stay" => Self::Stay,
            "exit" => Self::Exit(words.parsed("N")?),
            other => return Err(format!("unknown step `{other}` (see --help)")),
        };
        match words.take() {
            "" => Ok(step),
            extra => Err(format!("`{extra}` is too much in `{line}`")),
        }
    }
}

/// The rest of a line.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// The next word, or nothing at the end.
    fn take(&mut self) -> &'a str {
        let line = self.0.trim_start();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        self.0 = rest;
        word
    }

    /// Everything that is left, white space at its start included.
    fn rest(&mut self) -> &'a str {
        std::mem::take(&mut self.0)
    }

    fn text(&mut self) -> Text {
        Text::new(self.rest())
    }

    fn word(&mut self, name: &str) -> Result<String, String> {
        match self.take() {
            "" => Err(format!("{name} is missing")),
            word => Ok(word.to_owned()),
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        let word = self.word(name)?;
        word.parse().map_err(|_| format!("`{word}` is no {name}"))
    }

    fn positive(&mut self, name: &str) -> Result<usize, String> {
        match self.parsed(name)? {
            0 => Err(format!("{name} must not be 0")),
            number => Ok(number),
        }
    }

    fn mode(&mut self) -> Result<u32, String> {
        let word = self.word("MODE")?;
        u32::from_str_radix(&word, 8).map_err(|_| format!("`{word}` is no octal MODE"))
    }

    fn address(&mut self) -> Result<SocketAddr, String> {
        let word = self.word("PORT")?;
        match word.parse() {
            Ok(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            Err(_) => word.parse().map_err(|_| format!("`{word}` is no PORT")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_help_is_understood() {
        let steps = include_str!("help.txt")
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| !line.starts_with(' '));
        for line in steps {
            let usage = line.split("  ").next().unwrap_or(line);
            let example = usage
                .replace("STEP", "print bye")
                .replace("ignore-signal NAME", "ignore-signal TERM")
                .replace("on-signal NAME", "on-signal INT")
                .split(' ')
                .map(|word| match word {
                    "N" | "WIDTH" | "BYTES" | "MODE" | "PORT" | "MS" => "7",
                    other => other,
                })
                .collect::<Vec<_>>()
                .join(" ");
            assert_eq!(example.parse::<Step>().err(), None, "{example}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_said() {
        let error = |line: &str| line.parse::<Step>().err().unwrap_or_default();
        assert_eq!(error("write"), "PATH is missing");
        assert_eq!(error("sleep soon"), "`soon` is no MS");
        assert_eq!(error("exit 1 now"), "`now` is too much in `exit 1 now`");
        assert_eq!(error("on-signal INT prnt x"), "unknown step `prnt` (see --help)");
    }
}
