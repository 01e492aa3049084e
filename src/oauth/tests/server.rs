//! A server that sends prepared bytes and records its requests.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The behaviour of a server on each connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Reads the request and writes this.
    Says(Vec<u8>),
    /// Reads the request and writes the next of these.
    SaysInTurn(Vec<Vec<u8>>),
    /// Reads the request and writes this until the client hangs up.
    Floods(&'static str),
    /// Reads the request, writes this, and keeps the connection open.
    Hangs(&'static str),
}

pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn that(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (does, kept) = (does.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    let _ = serve(connection, does, kept).await;
                });
            }
        });
        Self { port, asked, task }
    }

    /// Starts a server that responds with a status and a body.
    pub(crate) async fn answers(status: &str, body: &str) -> Self {
        Self::that(Does::Says(reply(status, "application/json", body))).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the recorded requests, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn reply(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

async fn serve(connection: TcpStream, does: Does, kept: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        request.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    request.push_str(&String::from_utf8(body).expect("text"));
    let turn = {
        let mut kept = kept.lock().expect("unpoisoned");
        kept.push(request);
        kept.len() - 1
    };
    match does {
        Does::Says(bytes) => connection.write_all(&bytes).await?,
        Does::SaysInTurn(answers) => connection.write_all(&answers[turn]).await?,
        Does::Floods(text) => loop {
            connection.write_all(text.as_bytes()).await?;
        },
        Does::Hangs(text) => {
            connection.write_all(text.as_bytes()).await?;
            connection.flush().await?;
            std::future::pending::<()>().await;
        }
    }
    connection.shutdown().await
}
