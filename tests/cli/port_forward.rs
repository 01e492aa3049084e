//! The port that leads into a login's container: anybody on this machine can connect to it.

use std::{
    io::{ErrorKind, Read as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use test_support::Home;

use test_support::fake_engine::{Answer, listen, usual};

/// As many as are nobody's browser.
const MOST: usize = 64;

#[test]
fn repeated_connections_are_limited() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let home = Home::new();
    let acme = r#"{
        "name": "acme", "modes": ["oauth"], "command": ["acme"], "image": {"name": "acme"},
        "host_dir_name": "acme", "container_mount": "/home/dev/.acme", "callback_ports": [PORT],
        "capture": [{"file": "auth.json", "format": "json", "kind": "oauth", "fields": {"access_token": "/a"}}]
    }"#;
    home.write("config/providers/acme.yaml", &acme.replace("PORT", &port.to_string()));
    let (begin, begun) = mpsc::channel();
    let (join, joined) = mpsc::channel();
    let socket = home.path().join("engine.sock");
    listen(&socket, move |asked| match asked {
        _ if asked.is("POST /wait") => {
            let _ = begin.send(());
            Answer::Silence
        }
        _ if asked.is("POST /exec") => {
            let _ = join.send(());
            Answer::Silence
        }
        _ => usual(asked),
    });
    let url = format!("unix://{}", socket.display());
    let mut login =
        home.authenticate(["demo", "acme", "--image", "example", "--engine", &url, "--no-browser"]).starts();
    begun.recv_timeout(Duration::from_secs(60)).expect("it runs");
    let connect = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
    let connections: Vec<TcpStream> = (0..=MOST).map(connect).collect();
    for _ in 0..MOST {
        joined.recv_timeout(Duration::from_secs(60)).expect("let in");
    }
    let last = &mut &connections[MOST];
    last.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    match last.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("it is let in: {other:?}"),
    }
    assert!(joined.try_recv().is_err());
    login.kill().expect("killed");
    login.wait().expect("ended");
}
