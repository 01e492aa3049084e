//! The port that leads into a login's container: anybody on this machine can connect to it.

use std::{
    io::{ErrorKind, Read as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    process::Child,
    sync::mpsc,
    time::Duration,
};

use test_support::{
    Home, Login, Run, code,
    fake_engine::{Answer, Asked, listen, usual},
    login::ask,
};

/// As many as are nobody's browser.
const MOST: usize = 64;

fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    free.local_addr().expect("an address").port()
}

/// A login in a container of an engine, whose CLI waits at `port`.
fn login(home: &Home, port: u16, answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Run {
    let acme = r#"{
        "name": "acme", "modes": ["oauth"], "command": ["acme"], "image": {"name": "acme"},
        "host_dir_name": "acme", "container_mount": "/home/dev/.acme", "callback_ports": [PORT],
        "capture": [{"file": "auth.json", "format": "json", "kind": "oauth", "fields": {"access_token": "/a"}}]
    }"#;
    home.write("config/providers/acme.yaml", &acme.replace("PORT", &port.to_string()));
    let socket = home.path().join("engine.sock");
    listen(&socket, answers);
    let url = format!("unix://{}", socket.display());
    home.authenticate(["demo", "acme", "--image", "example", "--engine", &url, "--no-browser"])
}

#[test]
fn repeated_connections_are_limited() {
    let (home, port) = (Home::new(), free_port());
    let (begin, begun) = mpsc::channel();
    let (join, joined) = mpsc::channel();
    let run = login(&home, port, move |asked| match asked {
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
    let mut login: Child = run.starts();
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

#[test]
fn engine_that_runs_no_commands_is_said_to_browser_and_person() {
    let (home, port) = (Home::new(), free_port());
    let (begin, begun) = mpsc::channel();
    let run = login(&home, port, move |asked| match asked {
        _ if asked.is("POST /wait") => {
            let _ = begin.send(());
            Answer::Silence
        }
        _ if asked.is("POST /exec") => Answer::Json(403, r#"{"message": "exec is not allowed"}"#),
        _ => usual(asked),
    });
    let mut login = Login::start(run);
    begun.recv_timeout(Duration::from_secs(60)).expect("it runs");
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let connection = TcpStream::connect((address, port)).expect("connected");
        let page = ask(connection, "GET /callback?code=CANARY&state=x HTTP/1.1\r\nHost: localhost");
        assert_eq!(page.status, 502, "{page:?}");
        assert!(page.body.contains("Nothing was sent to it") && !page.body.contains("CANARY"), "{page:?}");
    }
    login.says(
        "the browser did not reach the login: cannot connect to the login's container: the engine answered with \
         status 403: exec is not allowed",
    );
}

#[test]
fn program_at_either_address_of_localhost_is_named() {
    for address in ["127.0.0.1", "[::1]"] {
        let home = Home::new();
        let taken = TcpListener::bind(format!("{address}:0")).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let says = format!("port {port} of {address} is taken by ");
        login(&home, port, usual).exits(code::BUSY).says(&says).says(&std::process::id().to_string());
    }
}
