//! The web server that a vendor CLI runs for the browser to come back to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use form_urlencoded::parse;

use crate::Failure;

/// Bytes of a page: still on its way to the browser when a CLI that ends at once has ended.
const PAGE: usize = 1 << 20;

/// A redirect that the browser brought, and the connection on which it waits for its page.
pub struct Callback {
    stream: TcpStream,
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub path: String,
    pub host: Option<String>,
}

impl Callback {
    pub fn json(&self) -> String {
        serde_json::json!({
            "code": self.code,
            "state": self.state,
            "error": self.error,
            "path": self.path,
            "host": self.host,
        })
        .to_string()
    }

    /// Shows the browser how it went.
    pub fn answer(self) {
        let page = match self.error {
            None => "login done",
            Some(_) => "login failed",
        };
        answer(self.stream, "200 OK", page);
    }
}

/// Serves until a callback comes, of the wanted state if there is one.
pub fn wait(listener: &TcpListener, wanted_state: Option<String>) -> Result<Callback, Failure> {
    let address = listener.local_addr()?;
    let listener = listener.try_clone()?;
    let wanted_state = Arc::new(wanted_state);
    let done = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let is_done = Arc::clone(&done);
    // A browser opens connections ahead of need and leaves them idle: each has its own thread, so that none blocks.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if is_done.load(Ordering::SeqCst) {
                return;
            }
            let (sender, wanted_state) = (sender.clone(), Arc::clone(&wanted_state));
            std::thread::spawn(move || serve(stream, wanted_state.as_deref(), &sender));
        }
    });
    let callback = receiver.recv().map_err(|_| Failure::new(1, "the listener ended"));
    done.store(true, Ordering::SeqCst);
    // Wakes the thread above, so that the port closes.
    drop(TcpStream::connect(address));
    callback
}

fn serve(stream: TcpStream, wanted_state: Option<&str>, sender: &Sender<Callback>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    let headers: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let mut words = request.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if method != "GET" {
        return answer(stream, "405 Method Not Allowed", "GET only");
    }
    let callback = read(stream, target, &headers);
    if callback.code.is_none() && callback.error.is_none() {
        return answer(callback.stream, "404 Not Found", "not a callback");
    }
    if wanted_state.is_some() && callback.state.as_deref() != wanted_state {
        return answer(callback.stream, "400 Bad Request", "state mismatch");
    }
    sender.send(callback).ok()
}

fn read(stream: TcpStream, target: &str, headers: &[String]) -> Callback {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |wanted: &str| {
        parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let host = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
    });
    Callback {
        stream,
        code: value("code"),
        state: value("state"),
        error: value("error"),
        path: path.to_owned(),
        host,
    }
}

fn answer(mut stream: TcpStream, status: &str, message: &str) -> Option<()> {
    let rest = " ".repeat(PAGE);
    let page = format!("<!doctype html><title>vendor</title><h1>{message}</h1>\n{rest}");
    let length = page.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
    )
    .ok()
}
