//! A login that runs while a test plays the browser.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdin},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use crate::{LIMIT, Run, eventually};

/// The running program. What it says on standard error is read line by line.
pub struct Login {
    child: Child,
    keyboard: Option<ChildStdin>,
    lines: Receiver<String>,
    said: String,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
}

/// The listener's answer to a browser.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Login {
    pub fn start(run: Run) -> Self {
        let mut child = run.starts();
        let keyboard = child.stdin.take();
        let (sender, lines) = channel();
        let errors = BufReader::new(child.stderr.take().expect("its errors"));
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, lines, said: String::new() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with this in it; the line.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(start.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{text:?} is not said, but: {}", self.said)
            };
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The address to log in at, once it is said.
    #[track_caller]
    pub fn url(&mut self) -> url::Url {
        let line = self.says("log in at: ");
        line.trim().strip_prefix("log in at: ").expect("at the start").parse().expect("a URL")
    }

    /// Types or pastes a line.
    pub fn types(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("a standard input");
        keyboard.write_all(format!("{line}\n").as_bytes()).expect("typed");
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id().cast_signed()).expect("a process");
        rustix::process::kill_process(pid, signal).expect("sent");
    }

    /// Waits for its end, which must be this exit code.
    #[track_caller]
    pub fn exits(mut self, code: u8) -> Ended {
        drop(self.keyboard.take());
        let code_now = self.child.wait().expect("ended").code();
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        let ended = Ended { code: code_now, said: self.said.clone() };
        assert_eq!(ended.code, Some(code.into()), "{ended:#?}");
        ended
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the browser is to come back to, from the address to log in at.
pub fn redirect(url: &url::Url, parameter: &str) -> url::Url {
    let (_, value) = url.query_pairs().find(|(name, _)| name == parameter).expect("a redirect");
    value.parse().expect("a URL")
}

pub fn query(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// Asks for a page as a browser does.
pub fn visit(url: &url::Url) -> Page {
    let host = format!("127.0.0.1:{}", url.port().expect("a port"));
    visit_as(url, &host, "GET")
}

pub fn visit_as(url: &url::Url, host: &str, method: &str) -> Page {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    ask(connect(url), &format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html"))
}

/// Sends the head of a request as it is, and reads the answer.
pub fn ask(mut connection: TcpStream, head: &str) -> Page {
    write!(connection, "{head}\r\n\r\n").expect("asked");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Page { status, head: head.to_lowercase(), body: body.to_owned() }
}

pub fn connect(url: &url::Url) -> TcpStream {
    let connection = TcpStream::connect(("127.0.0.1", url.port().expect("a port"))).expect("connected");
    connection.set_read_timeout(Some(LIMIT)).expect("a time limit");
    connection
}

/// Waits until nobody listens on a port any more.
pub fn is_closed(url: &url::Url) {
    let port = url.port().expect("a port");
    eventually("the port is closed", || TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// Long enough for a program to act on something that it should not act on.
pub const A_MOMENT: Duration = Duration::from_millis(300);
