//! A real key ring of our own: a session bus with GNOME's Secret Service on it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

const PASSWORD: &str = "the ring's own";
const LIMIT: Duration = Duration::from_secs(30);

pub struct KeyRing {
    home: TempDir,
    bus: Child,
    daemon: Option<Child>,
    address: String,
}

impl KeyRing {
    pub fn unlocked() -> Self {
        let home = TempDir::new().expect("a directory");
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>\
             <allow own='*'/></policy></busconfig>",
            home.path().join("bus").display()
        );
        let file = home.path().join("bus.conf");
        fs::write(&file, config).expect("written");
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address", "--config-file"])
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon: tests/testbed/packages installs it");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().expect("piped")).read_line(&mut address).expect("its address");
        let mut ring = Self { home, bus, daemon: None, address: address.trim().to_owned() };
        ring.start(true);
        ring
    }

    /// Starts the service again, and nobody tells it the password.
    pub fn locks(&mut self) {
        self.stop();
        self.start(false);
    }

    pub fn unlocks(&mut self) {
        self.stop();
        self.start(true);
    }

    /// Unlocks it as its owner does without a desktop: the password goes to standard input.
    pub fn is_told_its_password(&mut self, words: &[&str]) {
        let mut told = self.daemon(words);
        told.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("its password");
        // It stays and serves, in place of the one before.
        self.stop();
        self.daemon = Some(told);
        self.comes_up();
    }

    /// The service takes calls, and does not answer them.
    pub fn hangs(&self) {
        let daemon = self.daemon.as_ref().expect("started");
        let process = Pid::from_child(daemon);
        rustix::process::kill_process(process, Signal::STOP).expect("stopped");
    }

    /// The address of its bus.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn start(&mut self, unlock: bool) {
        let control = format!("--control-directory={}", self.home.path().join("control").display());
        let words = ["--components=secrets", &control];
        let mut daemon = match unlock {
            true => self.daemon(&[&words[..], &["--unlock"]].concat()),
            false => self.daemon(&words),
        };
        daemon.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("its password");
        self.daemon = Some(daemon);
        self.comes_up();
    }

    fn daemon(&self, words: &[&str]) -> Child {
        Command::new("gnome-keyring-daemon")
            .arg("--foreground")
            .args(words)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon: tests/testbed/packages installs it")
    }

    fn comes_up(&self) {
        let deadline = Instant::now() + LIMIT;
        while !self.answers() {
            assert!(Instant::now() < deadline, "the key ring does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let call = "org.freedesktop.DBus.Properties.Get";
        self.call(
            "/org/freedesktop/secrets",
            call,
            &["string:org.freedesktop.Secret.Service", "string:Collections"],
        )
        .contains("/org/freedesktop/secrets/collection/")
    }

    /// How many entries of ours it has.
    pub fn entries(&self) -> usize {
        let call = "org.freedesktop.Secret.Service.SearchItems";
        let found = self.call("/org/freedesktop/secrets", call, &["dict:string:string:service,authenticate"]);
        found.matches("object path").count()
    }

    fn call(&self, path: &str, method: &str, arguments: &[&str]) -> String {
        let output = Command::new("dbus-send")
            .args(["--print-reply", "--reply-timeout=2000", "--dest=org.freedesktop.secrets", path, method])
            .args(arguments)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .output()
            .expect("dbus-send");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

impl Drop for KeyRing {
    fn drop(&mut self) {
        self.stop();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

/// A bus that takes calls and never answers.
pub struct HangingBus {
    socket: PathBuf,
    _listener: UnixListener,
}

impl HangingBus {
    pub fn in_directory(directory: &Path) -> Self {
        let socket = directory.join("hanging-bus");
        let listener = UnixListener::bind(&socket).expect("a socket");
        Self { socket, _listener: listener }
    }

    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket.display())
    }
}
