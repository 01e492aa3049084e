//! An engine that falls silent in the middle of a login.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    process::Child,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Home, Run, code, files_below};

/// The requests that an engine may never answer, as they are made one after the other.
const REQUESTS: [&str; 5] =
    ["POST /containers/create", "POST /attach", "POST /start", "POST /wait", "DELETE /containers"];

/// An engine that never answers one kind of request, nor those for more processes in a container.
struct Engine {
    home: Home,
    asked: Receiver<()>,
}

impl Engine {
    fn silent_at(request: &'static str) -> Self {
        let home = Home::new();
        let listener = UnixListener::bind(home.path().join("engine.sock")).expect("bound");
        let (tell, asked) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let tell = tell.clone();
                thread::spawn(move || serve(connection, request, tell));
            }
        });
        Self { home, asked }
    }

    fn login(&self, more: &[&str]) -> Run {
        let url = format!("unix://{}", self.home.path().join("engine.sock").display());
        let login = ["demo", "codex", "--mode", "oauth", "--image", "example", "--engine", &url];
        self.home.authenticate([&login[..], more].concat())
    }

    /// A login that has come as far as the request that is never answered.
    fn reached(&self) -> Child {
        let child = self.login(&[]).starts();
        self.asked.recv_timeout(Duration::from_secs(60)).expect("the request is made");
        child
    }

    /// What could not be removed is for a later run, which is told where to look.
    fn left_a_record_or_nothing(&self, request: &str) {
        let logins = files_below(&self.home.data().join("logins"));
        if !leaves_something(request) {
            return assert!(logins.is_empty(), "{request}: {logins:?}");
        }
        let [lock] = &logins[..] else { panic!("{logins:?}") };
        assert!(std::fs::read_to_string(lock).expect("read").contains("engine.sock"));
    }
}

/// Whether there may be a container that cannot be removed.
fn leaves_something(request: &str) -> bool {
    request.ends_with("/create") || request.starts_with("DELETE")
}

fn serve(connection: UnixStream, silent_at: &str, tell: Sender<()>) {
    let mut reader = BufReader::new(connection.try_clone().expect("a copy"));
    let mut writer = connection;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => head.push(line.to_ascii_lowercase()),
            }
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).expect("a body");
        let path =
            head[0].split_whitespace().nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
        let (method, last) = silent_at.split_once(' ').expect("a method");
        let is_it = head[0].starts_with(&method.to_ascii_lowercase())
            && (path.ends_with(last) || (method == "DELETE" && path.contains(last)));
        if is_it || path.ends_with("/exec") {
            if is_it {
                let _ = tell.send(());
            }
            thread::sleep(Duration::from_secs(600));
            return;
        }
        let (status, answer) = match path {
            path if path.ends_with("/version") => ("200 OK", r#"{"Version":"1","ApiVersion":"1.41"}"#),
            path if path.ends_with("/info") => ("200 OK", r#"{"SecurityOptions":[]}"#),
            path if path.ends_with("/create") => ("201 Created", r#"{"Id":"abc","Warnings":[]}"#),
            path if path.ends_with("/wait") => ("200 OK", r#"{"StatusCode":0}"#),
            path if path.ends_with("/json") => ("200 OK", "[]"),
            path if path.ends_with("/attach") => {
                let upgrade = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                let _ = writer.write_all(upgrade.as_bytes());
                thread::sleep(Duration::from_secs(600));
                return;
            }
            _ => ("204 No Content", ""),
        };
        let length =
            if answer.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", answer.len()) };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{length}\r\n");
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(answer.as_bytes())).is_err() {
            return;
        }
    }
}

/// Waits for the end; gives up after a minute, when nothing would end it any more.
fn end(mut child: Child) -> (Option<i32>, Duration) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().expect("a child") {
            return (status.code(), start.elapsed());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    panic!("it does not end");
}

#[test]
fn ctrl_c_ends_the_login_all_the_same() {
    thread::scope(|scope| {
        for request in REQUESTS {
            scope.spawn(move || {
                let engine = Engine::silent_at(request);
                let child = engine.reached();
                let interrupt = || kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
                // The first may be the CLI's.
                interrupt();
                thread::sleep(Duration::from_millis(300));
                interrupt();
                let (code, took) = end(child);
                let expected =
                    if request.starts_with("DELETE") { code::LOGIN_FAILED } else { code::INTERRUPTED };
                assert_eq!(code, Some(expected.into()), "{request}");
                assert!(took < Duration::from_secs(40), "{request}: {took:?}");
                engine.left_a_record_or_nothing(request);
            });
        }
    });
}

#[test]
fn the_time_limit_ends_the_login_all_the_same() {
    thread::scope(|scope| {
        for request in REQUESTS {
            scope.spawn(move || {
                let engine = Engine::silent_at(request);
                let outcome = engine.login(&["--timeout", "1s"]).exits(code::LOGIN_FAILED);
                if !request.starts_with("DELETE") {
                    outcome.says("the login took longer than 1 s");
                }
                if leaves_something(request) {
                    outcome.says("the engine does not answer; a later run tries again");
                }
                engine.left_a_record_or_nothing(request);
            });
        }
    });
}
