//! An issuer that rotates refresh tokens, and ends a login whose token comes twice.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{http, json, program};

/// The client that it knows.
pub const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

pub struct Issuer {
    process: Child,
    url: String,
}

impl Issuer {
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(program("issuer"));
        let mut process = command.args(args).stdout(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("read");
        let url = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { process, url }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub fn token_url(&self) -> String {
        self.url("/oauth/token")
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        let host = self.url.strip_prefix("http://").expect("http");
        let (status, answer) = http::send(host, method, path, "", "");
        assert_eq!(status, 200, "{path}: {answer}");
        json(&answer)
    }

    /// The tokens of a new login.
    pub fn login(&self) -> Value {
        self.ask("POST", "/test/login")
    }

    /// How often tokens were given out for a refresh token.
    pub fn exchanges(&self) -> usize {
        let issued = self.ask("GET", "/test/issued");
        issued.as_array().expect("a list").iter().filter(|issued| issued["grant"] == "refresh_token").count()
    }

    /// The logins that were ended, by a revocation or because a token came twice.
    pub fn ended(&self) -> usize {
        self.ask("GET", "/test/revoked").as_array().expect("a list").len()
    }

    /// How often a path was asked for, and with what result each time.
    pub fn requests(&self, path: &str) -> Vec<u64> {
        let requests = self.ask("GET", "/test/requests");
        let of_path = requests.as_array().expect("a list").iter().find(|request| request["path"] == path);
        let statuses = of_path.map(|request| request["statuses"].as_array().expect("a list"));
        statuses.into_iter().flatten().map(|status| status.as_u64().expect("a status")).collect()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
