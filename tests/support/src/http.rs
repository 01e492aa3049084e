//! A small HTTP client for the servers of the tests.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::LIMIT;

/// The status and body of an answer from `http://HOST`.
pub fn send(host: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(host).expect("connected");
    connection.set_read_timeout(Some(LIMIT)).expect("a time limit");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(connection, "{head}{headers}Content-Length: {length}\r\n\r\n{body}").expect("asked");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    // The short answers of these servers are one chunk, if they are in chunks at all.
    match head.to_lowercase().contains("transfer-encoding: chunked") {
        true => (status, body.lines().nth(1).unwrap_or_default().to_owned()),
        false => (status, body.to_owned()),
    }
}
