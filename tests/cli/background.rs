//! The program in the background of a terminal: it would be stopped if it set the terminal's modes or read from it.

use std::{process::Command, sync::mpsc, time::Duration};

use test_support::{
    Home, code,
    fake_engine::{Answer, listen, usual},
    tty::OnTerminal,
};

/// The program on a terminal, in the group that `timeout` makes.
fn in_background(home: &Home, arguments: &[&str]) -> OnTerminal {
    let program = home.command(arguments);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#""$@"; exit $?"#, "sh", "timeout", "60"])
        .arg(program.get_program())
        .args(program.get_args());
    command.envs(home.environment()).current_dir(home.path());
    OnTerminal::start(&command, 24, 200)
}

#[test]
fn login_in_the_background_heeds_its_time_limit() {
    let home = Home::new();
    let acme = r#"{
        "name": "acme", "modes": ["oauth"], "command": ["acme"], "image": {"name": "acme"},
        "host_dir_name": "acme", "container_mount": "/home/dev/.acme",
        "capture": [{"file": "auth.json", "format": "json", "kind": "oauth", "fields": {"access_token": "/a"}}]
    }"#;
    home.write("config/providers/acme.yaml", acme);
    let socket = home.path().join("engine.sock");
    let (create, created) = mpsc::channel();
    listen(&socket, move |asked| {
        if asked.is("POST /containers/create") {
            let _ = create.send(String::from_utf8_lossy(&asked.body).contains(r#""Tty":true"#));
        }
        if asked.is("POST /wait") { Answer::Silence } else { usual(asked) }
    });
    let url = format!("unix://{}", socket.display());
    let arguments = ["demo", "acme", "--image", "example", "--engine", &url, "--timeout", "1s"];
    let login = in_background(&home, &arguments);
    assert_eq!(created.recv_timeout(Duration::from_secs(60)), Ok(false), "the CLI has no terminal");
    let ended = login.end().expect(code::LOGIN_FAILED.into());
    assert!(ended.out.contains("longer than 1 s"), "{}", ended.out);
}

#[test]
fn question_in_the_background_is_refused() {
    let home = Home::new();
    let ended = in_background(&home, &["demo", "openai"]).end().expect(code::USAGE.into());
    assert!(ended.out.contains("there is no terminal to ask for the secret at"), "{}", ended.out);
}
