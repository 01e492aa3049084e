//! Doing what a step says.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::script::Line;
use crate::signals::{self, Answers};
use crate::step::Step;
use crate::text::Text;
use crate::{Failure, callback, files, look};

/// The state that the steps of one script share.
pub struct Vendor {
    home: PathBuf,
    variables: Mutex<BTreeMap<&'static str, String>>,
    wanted_state: Mutex<Option<String>>,
    listeners: Mutex<BTreeMap<SocketAddr, TcpListener>>,
    pub answers: Answers,
}

impl Vendor {
    pub fn new() -> Self {
        let home = ["VENDOR_HOME", "HOME"].into_iter().find_map(std::env::var_os).unwrap_or_default();
        Self {
            home: home.into(),
            variables: Mutex::default(),
            wanted_state: Mutex::default(),
            listeners: Mutex::default(),
            answers: Answers::default(),
        }
    }

    pub fn run(self: &Arc<Self>, line: &Line) -> Result<(), Failure> {
        self.act(line).map_err(|failure| {
            let message = format!("line {}: `{}`: {}", line.number, line.source, failure.message);
            Failure::new(failure.code, message)
        })
    }

    fn act(self: &Arc<Self>, line: &Line) -> Result<(), Failure> {
        match &line.step {
            Step::Print(text) => print(&(self.fill(text) + "\n")),
            Step::PrintRaw(text) => print(&self.fill(text)),
            Step::PrintErr(text) => Ok(writeln!(std::io::stderr(), "{}", self.fill(text))?),
            Step::PrintBytesSplit(size, text) => print_split(*size, &(self.fill(text) + "\n")),
            Step::Wrap(width, text) => print(&wrap(*width, &self.fill(text))),
            Step::Flood(bytes) => flood(*bytes),
            Step::ReadLine => self.read_line().map(drop),
            Step::ExpectLine(text) => self.expect_line(&self.fill(text)),
            Step::Raw => raw(),
            Step::Write(path, content) => files::write(&self.path(path), &self.fill(content)),
            Step::Append(path, content) => files::append(&self.path(path), &self.fill(content)),
            Step::Copy(from, to) => files::copy(&self.path(from), &self.path(to)),
            Step::Rename(from, to) => files::rename(&self.path(from), &self.path(to)),
            Step::Remove(path) => Ok(std::fs::remove_file(self.path(path))?),
            Step::Symlink(target, path) => files::symlink(target, &self.path(path)),
            Step::Hardlink(from, to) => files::hardlink(&self.path(from), &self.path(to)),
            Step::Mkfifo(path) => files::mkfifo(&self.path(path)),
            Step::Mkdir(path, mode) => files::mkdir(&self.path(path), *mode),
            Step::Chmod(mode, path) => files::chmod(&self.path(path), *mode),
            Step::Sparse(path, bytes) => files::sparse(&self.path(path), *bytes),
            Step::Deep(path, levels) => files::deep(&self.path(path), *levels),
            Step::Size => print(&look::size()),
            Step::Isatty => print(&look::isatty()),
            Step::Argv => print(&look::argv()),
            Step::Env(name) => print(&look::env(name)),
            Step::Id => print(&look::id()),
            Step::Caps => print(&look::caps()?),
            Step::Mounts => print(&look::mounts()?),
            Step::Pwd => print(&look::pwd()?),
            Step::Cat(path) => Ok(std::io::stdout().write_all(&std::fs::read(self.path(path))?)?),
            Step::List(path) => print(&look::list(&self.path(path))?),
            Step::Connect(address) => print(look::connect(address)?),
            Step::State(text) => {
                *lock(&self.wanted_state) = Some(self.fill(text));
                Ok(())
            }
            Step::Bind(address) => {
                let listener = TcpListener::bind(address)?;
                lock(&self.listeners).insert(*address, listener);
                Ok(())
            }
            Step::Listen(address, file) => self.listen(*address, file),
            Step::Sleep(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                Ok(())
            }
            Step::WaitFor(path) => {
                while std::fs::symlink_metadata(self.path(path)).is_err() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            }
            Step::IgnoreSignal(signal) => signals::ignore(*signal),
            Step::OnSignal(signal, step) => {
                let mut line = line.clone();
                line.step = (**step).clone();
                signals::answer(self, *signal, line)
            }
            Step::Stay => loop {
                std::thread::park();
            },
            Step::Exit(code) => std::process::exit((*code).into()),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    fn fill(&self, text: &Text) -> String {
        text.fill(&lock(&self.variables))
    }

    fn read_line(&self) -> Result<String, Failure> {
        // Byte by byte: what follows the line stays unread. A terminal in raw mode ends a line with \r.
        let mut line = Vec::new();
        let mut input = std::io::stdin().lock();
        loop {
            let mut byte = [0];
            match (input.read(&mut byte)?, byte[0]) {
                (0, _) if line.is_empty() => return Err(Failure::new(9, "end of input")),
                (0, _) | (_, b'\n' | b'\r') => break,
                (_, byte) => line.push(byte),
            }
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        lock(&self.variables).insert("LINE", line.clone());
        Ok(line)
    }

    fn expect_line(&self, wanted: &str) -> Result<(), Failure> {
        match self.read_line()? {
            line if line == wanted => Ok(()),
            line => Err(Failure::new(9, format!("got `{line}`"))),
        }
    }

    fn listen(&self, address: SocketAddr, file: &str) -> Result<(), Failure> {
        let bound = lock(&self.listeners).remove(&address);
        let listener = bound.map_or_else(|| TcpListener::bind(address), Ok)?;
        let wanted_state = lock(&self.wanted_state).clone();
        let callback = callback::wait(&listener, wanted_state)?;
        lock(&self.variables).extend([
            ("CODE", callback.code.clone().unwrap_or_default()),
            ("STATE", callback.state.clone().unwrap_or_default()),
            ("PATH", callback.path.clone()),
        ]);
        // First the file, then the page: whoever saw the page finds the file.
        files::write(&self.path(file), &callback.json())?;
        callback.answer();
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn print_split(size: usize, text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for chunk in text.as_bytes().chunks(size) {
        out.write_all(chunk)?;
        out.flush()?;
        // Long enough that a reader that keeps up sees each chunk on its own.
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn wrap(width: usize, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(width).flat_map(|row| row.iter().copied().chain(['\n'])).collect()
}

fn flood(bytes: usize) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut left = bytes;
    for number in 0_usize.. {
        let line = format!("{number:>12} the quick brown fox jumps over the lazy dog, again and again\n");
        let take = line.len().min(left);
        out.write_all(&line.as_bytes()[..take])?;
        left -= take;
        if left == 0 {
            break;
        }
    }
    Ok(out.flush()?)
}

fn raw() -> Result<(), Failure> {
    let terminal = rustix::stdio::stdin();
    let mut attributes = rustix::termios::tcgetattr(terminal)?;
    attributes.make_raw();
    let now = rustix::termios::OptionalActions::Now;
    Ok(rustix::termios::tcsetattr(terminal, now, &attributes)?)
}
