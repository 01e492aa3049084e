//! An engine that falls silent in the middle of a login.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Child,
    sync::{
        Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use test_support::{
    Home, Run, code,
    fake_engine::{Answer, listen, usual},
    files_below,
};

/// The requests that an engine may never answer, as they are made one after the other.
const REQUESTS: [&str; 5] =
    ["POST /containers/create", "POST /attach", "POST /start", "POST /wait", "DELETE /containers/abc"];

/// An engine that answers nothing about more processes in a container, and less than it should.
struct Engine {
    home: Home,
    /// The requests that it did not answer.
    asked: Receiver<()>,
}

impl Engine {
    /// It never answers one kind of request.
    fn silent_at(request: &'static str) -> Self {
        let home = Home::new();
        let (tell, asked) = mpsc::channel();
        listen(&home.path().join("engine.sock"), move |asked| {
            if !asked.is(request) {
                return usual(asked);
            }
            let _ = tell.send(());
            Answer::Silence
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

    /// The directory is left to a later run, which finds its record.
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

/// Waits for the end; gives up after a minute, when nothing would end it any more.
pub fn end(mut child: Child) -> (Option<i32>, Duration) {
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
fn ctrl_c_ends_a_login_at_a_silent_engine() {
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
fn time_limit_ends_a_login_at_a_silent_engine() {
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

/// There may be secrets in it.
#[test]
fn directory_that_cannot_be_removed_is_reported_and_left_to_a_later_run() {
    let home = Home::new();
    let logins = home.data().join("logins");
    let mode = {
        let logins = logins.clone();
        move |mode| fs::set_permissions(&logins, fs::Permissions::from_mode(mode)).expect("a mode")
    };
    let close = mode.clone();
    listen(&home.path().join("engine.sock"), move |asked| {
        if asked.method == "DELETE" {
            close(0o500);
        }
        usual(asked)
    });
    let url = format!("unix://{}", home.path().join("engine.sock").display());
    let login = ["demo", "codex", "--mode", "oauth", "--image", "example", "--engine", &url];
    let outcome = home.authenticate(login).without_privileges().exits(code::LOGIN_FAILED);
    outcome.says("Permission denied").says("; a later run tries again");
    mode(0o700);
    assert_eq!(files_below(&logins).len(), 1, "its record");
    home.authenticate(["projects"]).exits(code::DONE);
    assert_eq!(fs::read_dir(&logins).expect("read").count(), 0);
}

/// A container whose end cannot be observed may still run.
#[test]
fn container_that_does_not_stop_is_killed() {
    let waits = Mutex::new(0);
    let home = Home::new();
    let (tell, killed) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    listen(&home.path().join("engine.sock"), move |asked| {
        if asked.is("POST /kill") {
            let _ = tell.send(());
        }
        if asked.is("POST /wait") {
            let _ = begin.send(());
            let mut waits = waits.lock().expect("one at a time");
            *waits += 1;
            return if *waits == 1 { Answer::Silence } else { Answer::Json(500, r#"{"message": "broken"}"#) };
        }
        if asked.is("POST /exec") { Answer::Json(404, "{}") } else { usual(asked) }
    });
    let url = format!("unix://{}", home.path().join("engine.sock").display());
    let login = ["demo", "codex", "--mode", "oauth", "--image", "example", "--engine", &url];
    let child = home.authenticate(login).starts();
    begun.recv_timeout(Duration::from_secs(60)).expect("it is waited for");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("sent");
    assert_eq!(end(child).0, Some(code::INTERRUPTED.into()));
    killed.try_recv().expect("it is killed");
}
