//! A server that does what a test tells it, and keeps what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// The lines before the body.
    pub head: String,
    pub body: String,
}

impl Asked {
    /// A parameter of a form.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

/// It listens until the test's process ends; each connection is a thread.
pub struct Stub {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Answers each request with bytes.
    pub fn that(answers: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::serving(move |asked, connection| {
            let _ = connection.write_all(&answers(asked));
        })
    }

    /// Does anything with the connection.
    pub fn serving(does: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (kept, does) = (Arc::clone(&asked), Arc::new(does));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, does) = (Arc::clone(&kept), Arc::clone(&does));
                std::thread::spawn(move || {
                    let mut connection = connection;
                    if let Some(request) = read(&connection) {
                        kept.lock().unwrap().push(request.clone());
                        does(&request, &mut connection);
                    }
                });
            }
        });
        Self { port, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests to a path.
    pub fn asked_at(&self, path: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.split('?').next() == Some(path)).collect()
    }
}

pub fn json_reply(status: u16, body: &str) -> Vec<u8> {
    reply(status, "application/json", body)
}

pub fn reply(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn read(connection: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ').map(str::to_owned);
    Some(Asked { path: words.nth(1)?, body: String::from_utf8(body).ok()?, head })
}
