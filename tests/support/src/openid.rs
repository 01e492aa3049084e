//! The npm package `oidc-provider`, a certified OpenID provider, started for a test.
//!
//! It knows the public client `demo` (browser and device flow, rotating refresh tokens) and the client `machine` with
//! [`SECRET`] (client credentials, token exchange), and `poster`, which must send the same secret in the body. Whoever logs
//! in is `dev@example.org`.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Value, json};

use crate::http;

/// The public client.
pub const CLIENT: &str = "demo";
/// The secret of the client `machine`.
pub const SECRET: &str = "CANARY-machine-secret";

/// A running server; it ends with the test.
pub struct OpenId {
    child: Child,
    /// Its issuer, `http://127.0.0.1:PORT`.
    pub issuer: String,
}

impl OpenId {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with access tokens that work for so many seconds.
    pub fn whose_tokens_last(seconds: u32) -> Self {
        Self::with(&["--ttl", &seconds.to_string()])
    }

    /// Starts one with options of `server.mjs`.
    pub fn with(options: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg(installed()).args(options);
        // Its standard input is its life line: it ends when the test does, however that ends.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node, which tests/testbed/packages installs");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut first).expect("a line");
        let issuer = first.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, issuer }
    }

    /// Starts one that makes the tokens at once and delays its answer.
    pub fn that_dawdles(delay: Duration) -> Self {
        Self::with(&["--delay", &delay.as_millis().to_string()])
    }

    /// Where tokens are given out.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.issuer)
    }

    /// The tokens of a person who has logged in to the public client.
    pub fn login(&self) -> Value {
        let (status, tokens) = self.send("POST", "/test/login", "", "");
        assert_eq!(status, 200, "{tokens}");
        serde_json::from_str(&tokens).expect("json")
    }

    /// Sends a refresh token as anybody could who has it: the status, and the answer.
    pub fn exchange(&self, refresh_token: &str) -> (u16, Value) {
        let form = format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={refresh_token}");
        let (status, answer) =
            self.send("POST", "/token", "Content-Type: application/x-www-form-urlencoded\r\n", &form);
        (status, serde_json::from_str(&answer).expect("json"))
    }

    /// Whether it lets an access token in.
    pub fn accepts(&self, access_token: &str) -> bool {
        self.send("GET", "/me", &format!("Authorization: Bearer {access_token}\r\n"), "").0 == 200
    }

    /// Its statistics: `refreshes` that were granted, how many were asked for with a token that had come before
    /// (`repeated`), `reused` when it took that for a theft, `revocations` asked for, `grants` by kind, and `errors`.
    pub fn stats(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/test/stats")).expect("json")
    }

    /// The person says no from now on.
    pub fn denies(&self) -> &Self {
        self.ask("POST", "/test/deny");
        self
    }

    /// The person has another e-mail address from now on: `new@example.org`.
    pub fn renames(&self) {
        self.ask("POST", "/test/rename");
    }

    /// How many refresh tokens it has exchanged.
    pub fn refreshes(&self) -> u64 {
        self.stats()["refreshes"].as_u64().expect("a number")
    }

    /// The grants that it made, in order.
    pub fn grants(&self) -> Vec<String> {
        serde_json::from_value(self.stats()["grants"].clone()).expect("a list")
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let (status, answer) = self.send(method, path, "", "");
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let host = self.issuer.strip_prefix("http://").expect("http");
        http::send(host, method, path, headers, body)
    }
}

impl Drop for OpenId {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server beside its packages, which are installed once for all test runs, outside the repository.
fn installed() -> &'static Path {
    static DONE: OnceLock<PathBuf> = OnceLock::new();
    DONE.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("openid");
        let lock = fs::read(source.join("package-lock.json")).expect("a lock file");
        let place = cache().join(format!("oauth-server-{:016x}", fnv(&lock)));
        fs::create_dir_all(&place).expect("a directory");
        // One process installs, the others wait.
        let turn = File::create(place.join("turn")).expect("a file");
        turn.lock().expect("locked");
        if !place.join("complete").exists() {
            for file in ["package.json", "package-lock.json"] {
                fs::copy(source.join(file), place.join(file)).expect("copied");
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]).current_dir(&place);
            let output =
                npm.stdin(Stdio::null()).output().expect("npm, which tests/testbed/packages installs");
            assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
            File::create(place.join("complete")).expect("written");
        }
        // The server itself may have been edited, and another checkout have its own.
        let server = fs::read(source.join("server.mjs")).expect("the server");
        let (fresh, file) = (
            place.join(format!("server.{}.mjs", std::process::id())),
            place.join(format!("server-{:016x}.mjs", fnv(&server))),
        );
        fs::write(&fresh, &server).expect("written");
        fs::rename(&fresh, &file).expect("in its place");
        file
    })
}

/// That of the test bed, for those who may write there.
fn cache() -> PathBuf {
    let shared = PathBuf::from("/var/cache/authenticate-testbed");
    match fs::create_dir_all(&shared).is_ok() && tempfile::tempfile_in(&shared).is_ok() {
        true => shared,
        false => std::env::temp_dir().join("authenticate-testbed"),
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The server rotates refresh tokens and looks for those that come twice: shown with a login of its own.
pub fn assert_reuse_ends_a_login(server: &OpenId) {
    let login = server.login();
    let first = login["refresh_token"].as_str().expect("one");
    let (status, next) = server.exchange(first);
    assert_eq!(status, 200, "{next}");
    let second = next["refresh_token"].as_str().expect("another");
    assert_ne!(first, second, "rotated");
    assert!(server.accepts(next["access_token"].as_str().expect("one")));
    for token in [first, second] {
        let (status, answer) = server.exchange(token);
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    }
    assert!(!server.accepts(next["access_token"].as_str().expect("one")), "the whole login has ended");
    assert_eq!(server.stats()["reused"], true);
}
