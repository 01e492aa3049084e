//! An engine that answers as a test wants it to.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A request to the engine.
pub struct Asked {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub body: Vec<u8>,
}

impl Asked {
    /// Whether it is for example `POST /start`: the method, and how the path ends.
    pub fn is(&self, request: &str) -> bool {
        request.split_once(' ').is_some_and(|(method, end)| self.method == method && self.path.ends_with(end))
    }
}

pub enum Answer {
    Json(u16, &'static str),
    /// Nothing but what the head of each answer of the engine says.
    Head(&'static str),
    /// The connection becomes a stream, on which nothing comes.
    Stream,
    /// None, ever.
    Silence,
    /// None: the connection ends.
    End,
}

/// Longer than any test.
const EVER: Duration = Duration::from_secs(600);

/// Listens for as long as the test's process lives.
pub fn listen(socket: &Path, answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
    let listener = UnixListener::bind(socket).expect("bound");
    let answers = seeing(answers);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || serve(&connection, &connection, &*answers));
        }
    });
}

/// Listens for an engine that is reached over the network.
pub fn listen_at(listener: TcpListener, answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
    let answers = seeing(answers);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || serve(&connection, &connection, &*answers));
        }
    });
}

/// The answers of an engine without containers or images.
pub fn usual(asked: &Asked) -> Answer {
    let ends = |end| asked.path.ends_with(end);
    match () {
        () if ends("/_ping") => Answer::Head("Api-Version: 1.41\r\n"),
        () if ends("/info") => Answer::Json(200, r#"{"ServerVersion": "1", "SecurityOptions": []}"#),
        () if ends("/create") => Answer::Json(201, r#"{"Id": "abc", "Warnings": []}"#),
        () if ends("/wait") => Answer::Json(200, r#"{"StatusCode": 0}"#),
        () if ends("/json") => Answer::Json(200, "[]"),
        () if ends("/attach") => Answer::Stream,
        () if ends("/exec") => Answer::Silence,
        () if asked.path.contains("/libpod/") => Answer::Json(404, "{}"),
        () => Answer::Json(204, ""),
    }
}

/// An engine that sees our directories: what asks about that is answered here, and a container that starts empties its
/// marker.
fn seeing(
    answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> Arc<dyn Fn(&Asked) -> Answer + Send + Sync> {
    let marker = Mutex::<Option<PathBuf>>::default();
    Arc::new(move |asked| {
        if asked.is("POST /libpod/containers/create") || asked.is("DELETE -probe") {
            return Answer::Json(201, r#"{"Id": "probe", "Warnings": []}"#);
        }
        if asked.is("POST /containers/create") {
            let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
            if body["HostConfig"]["Mounts"][0]["Type"] == "bind" {
                return Answer::Json(201, r#"{"Id": "probe", "Warnings": []}"#);
            }
            let directory = body["HostConfig"]["Binds"][0].as_str().and_then(|bind| bind.split(':').next());
            let name = body["Cmd"][2].as_str().and_then(|path| Path::new(path).file_name());
            *marker.lock().expect("lock") = directory.zip(name).map(|(dir, name)| Path::new(dir).join(name));
        }
        if let Some(marker) = marker.lock().expect("lock").take_if(|_| asked.is("POST /start")) {
            std::fs::write(marker, "").expect("emptied");
        }
        answers(asked)
    })
}

fn serve(reader: impl Read, mut writer: impl Write, answers: &dyn Fn(&Asked) -> Answer) {
    let mut reader = BufReader::new(reader);
    while let Some(asked) = read(&mut reader) {
        let written = match answers(&asked) {
            Answer::Silence => return thread::sleep(EVER),
            Answer::End => return,
            Answer::Stream => {
                let upgrade = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                let _ = writer.write_all(upgrade.as_bytes());
                return thread::sleep(EVER);
            }
            Answer::Head(head) => {
                writer.write_all(format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nOK").as_bytes())
            }
            Answer::Json(status, text) => {
                let length = if text.is_empty() {
                    String::new()
                } else {
                    format!("Content-Length: {}\r\n", text.len())
                };
                let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{length}\r\n");
                writer.write_all(format!("{head}{text}").as_bytes())
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => head.push(line),
        }
    }
    let length = head
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.first()?.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let path = target.split('?').next().unwrap_or_default();
    Some(Asked { method: method.to_owned(), path: path.to_owned(), body })
}
