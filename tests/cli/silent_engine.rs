//! An engine that falls silent in the middle of a login.

use std::{
    collections::BTreeMap,
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

use authenticate::credential::{Credential, Metadata, OAuth};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    fake_engine::{Answer, listen, usual},
    harness::{Home, Run, code, files_below},
};

/// The requests that an engine may never answer, as they are made one after the other.
const REQUESTS: [&str; 5] =
    ["POST /containers/create", "POST /attach", "POST /start", "POST /wait", "DELETE /containers/abc"];

/// An engine that answers nothing about more processes in a container, and less than it should.
struct Engine {
    home: Home,
    /// Of each request that it did not answer.
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

/// Nobody waits for its end any more, and its container may go on.
#[test]
fn a_renewal_that_is_given_up_is_cleaned_up_by_the_next_run() {
    let home = Home::new();
    let url = format!("unix://{}", home.path().join("engine.sock").display());
    home.write("config/projects/demo.yaml", &format!("engine: {url}\nimage: example\n"));
    home.write(
        "config/providers/acme.yaml",
        r#"{"name": "acme", "modes": ["oauth"], "container_mount": "/home/dev/.acme", "command": ["acme"],
            "host_dir_name": "acme", "image": {"name": "acme"}, "refresh": {"strategy": "command", "command": ["acme", "refresh"]},
            "capture": [{"file": "auth.json", "format": "json", "kind": "oauth",
                         "fields": {"access_token": "/a", "refresh_token": "/r"}}]}"#,
    );
    let login = Credential::OAuth(OAuth {
        access_token: "AAA".into(),
        refresh_token: Some("RRR".into()),
        id_token: None,
        extra: BTreeMap::default(),
    });
    home.put("acme", &login, &Metadata { expires_at: Some(Timestamp::UNIX_EPOCH), ..Metadata::default() });
    let (tell, asked) = mpsc::channel();
    listen(&home.path().join("engine.sock"), move |request| {
        let _ = tell.send(format!("{} {}", request.method, request.path));
        let runs = request.path.ends_with("/containers/json");
        match request.is("POST /wait") {
            true => Answer::Silence,
            false if runs => Answer::Json(200, r#"[{"Id": "abc"}]"#),
            false => usual(request),
        }
    });
    let comes = |wanted: &str| {
        let limit = Duration::from_secs(60);
        while !asked.recv_timeout(limit).expect("it comes").ends_with(wanted) {}
    };
    let child = home.authenticate(["refresh", "demo", "acme"]).starts();
    comes("/wait");
    let interrupt = || kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
    interrupt();
    thread::sleep(Duration::from_millis(300));
    interrupt();
    assert_eq!(end(child).0, Some(code::INTERRUPTED.into()));
    while asked.try_recv().is_ok() {}
    let left = files_below(&home.data().join("logins"));
    assert_eq!(left.len(), 1, "{left:?}");
    home.authenticate(["projects"]).exits(code::DONE);
    comes("/containers/abc");
    assert!(files_below(&home.data().join("logins")).is_empty());
}

/// There may be secrets in it.
#[test]
fn a_directory_that_cannot_be_removed_is_said_and_is_for_a_later_run() {
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

/// One whose end nobody sees may still run.
#[test]
fn what_cannot_be_waited_for_is_killed() {
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
