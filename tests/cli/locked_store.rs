//! A store that somebody keeps locked just when a vendor's CLI has left its login, which is nowhere else.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use test_support::{
    Home, KEY, code,
    fake_engine::{listen, usual},
};

const DESCRIPTOR: &str = "modes: [oauth]\nhost_dir_name: _acme\ncontainer_mount: /home/dev/.acme\ncommand: [acme]\n\
    image: {name: acme}\ncapture: [{file: a.json, format: json, kind: token, fields: {token: /token}}]\n";

#[test]
fn captured_login_is_stored_once_the_store_is_unlocked() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.write("config/providers/acme.yaml", DESCRIPTOR);
    let socket = home.path().join("engine.sock");
    let (files, locked) = (Mutex::new(PathBuf::new()), Arc::new(Mutex::new(None)));
    listen(&socket, {
        let (database, locked) = (home.database(), locked.clone());
        move |asked| {
            if asked.is("POST /create") {
                let asked: serde_json::Value = serde_json::from_slice(&asked.body).expect("JSON");
                let bind = asked["HostConfig"]["Binds"][0].as_str().expect("a bind").to_owned();
                *files.lock().unwrap() = bind.split(':').next().expect("a directory").into();
            }
            // Its CLI has written its file and ended.
            if asked.is("POST /wait") {
                fs::write(files.lock().unwrap().join("a.json"), r#"{"token": "tok-0123456789"}"#)
                    .expect("written");
                let other = rusqlite::Connection::open(&database).expect("opened");
                other.execute_batch("BEGIN IMMEDIATE").expect("locked");
                *locked.lock().unwrap() = Some(other);
            }
            usual(asked)
        }
    });
    let url = format!("unix://{}", socket.display());
    let login = ["demo", "acme", "--image", "example", "--engine", &url];
    let mut running = home.authenticate(login).starts();
    let mut said = BufReader::new(running.stderr.take().expect("piped")).lines();
    let tries_on = said.find(|line| {
        line.as_ref().is_ok_and(|line| line.contains("cannot store the credential yet, trying again"))
    });
    assert!(tries_on.is_some(), "it did not try on: {:?}", running.wait());
    drop(locked.lock().unwrap().take());
    let rest: Vec<_> = said.map_while(Result::ok).collect();
    assert!(running.wait().expect("ended").success(), "{rest:?}");
    home.authenticate(["token", "demo", "acme"]).exits(code::DONE).prints("tok-0123456789");
}
