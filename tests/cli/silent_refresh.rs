//! An engine that falls silent while the vendor's CLI is made to renew a login.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use authenticate::credential::{Credential, Metadata, OAuth};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use test_support::{
    Home, code,
    fake_engine::{Answer, listen, usual},
    files_below,
};

use crate::silent_engine::end;

/// A provider whose logins its CLI renews.
const ACME: &str = r#"{
    "name": "acme", "modes": ["oauth"], "command": ["acme"], "image": {"name": "acme"},
    "host_dir_name": "acme", "container_mount": "/home/dev/.acme",
    "refresh": {"strategy": "command", "command": ["acme", "refresh"]},
    "capture": [{"file": "auth.json", "format": "json", "kind": "oauth",
                 "fields": {"access_token": "/a", "refresh_token": "/r"}}]
}"#;

/// A home with a login that is past its time, and an engine that never answers one kind of request; which are made.
fn expired(silent_at: &'static str) -> (Home, Receiver<String>) {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let project = format!("engine: unix://{}\nimage: example\n", socket.display());
    home.write("config/projects/demo.yaml", &project);
    home.write("config/providers/acme.yaml", ACME);
    let login = Credential::OAuth(OAuth {
        access_token: "AAA".into(),
        refresh_token: Some("RRR".into()),
        id_token: None,
        extra: BTreeMap::default(),
    });
    home.put("acme", &login, &Metadata { expires_at: Some(Timestamp::UNIX_EPOCH), ..Metadata::default() });
    let (tell, asked) = mpsc::channel();
    listen(&socket, move |request| {
        let _ = tell.send(format!("{} {}", request.method, request.path));
        match request {
            _ if request.is(silent_at) => Answer::Silence,
            _ if request.is("GET /containers/json") => Answer::Json(200, r#"[{"Id": "abc"}]"#),
            _ => usual(request),
        }
    });
    (home, asked)
}

fn comes(asked: &Receiver<String>, wanted: &str) {
    while !asked.recv_timeout(Duration::from_secs(60)).expect("it comes").ends_with(wanted) {}
}

/// Nobody waits for its end any more, and its container may go on.
#[test]
fn abandoned_refresh_is_cleaned_up_by_the_next_run() {
    let (home, asked) = expired("POST /wait");
    let mut child = home.authenticate(["refresh", "demo", "acme"]).starts();
    let stderr = child.stderr.take().expect("piped");
    comes(&asked, "/wait");
    let interrupt = || kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
    interrupt();
    thread::sleep(Duration::from_millis(300));
    interrupt();
    assert_eq!(end(child).0, Some(code::INTERRUPTED.into()));
    let said = std::io::read_to_string(stderr).expect("text");
    assert!(said.contains("abandoned: the vendor may have acted all the same"), "{said}");
    while asked.try_recv().is_ok() {}
    let left = files_below(&home.data().join("logins"));
    assert_eq!(left.len(), 1, "{left:?}");
    home.authenticate(["projects"]).exits(code::DONE);
    comes(&asked, "/containers/abc");
    assert!(files_below(&home.data().join("logins")).is_empty());
}

/// Others wait for it.
#[test]
fn container_that_is_not_created_is_waited_for_briefly() {
    let (home, _asked) = expired("POST /containers/create");
    let begun = Instant::now();
    let outcome = home.authenticate(["refresh", "demo", "acme"]).exits(code::ENGINE);
    outcome.says("cannot start the login's container");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    assert_eq!(files_below(&home.data().join("logins")).len(), 1, "it may be made yet");
}
