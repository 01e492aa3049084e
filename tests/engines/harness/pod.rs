//! A stand-in for a vendor, in a network that a login can share.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use test_support::{LIMIT, Running};

use super::{Place, output, port, programs};

/// Where a stand-in writes the certificate of its authority, in a container.
const CA: &str = "/tmp/ca.pem";

/// A stand-in that runs; ended when dropped.
pub struct Pod {
    host: Host,
    scheme: &'static str,
    names: Vec<String>,
    /// The stand-in's port, where a login finds it.
    inside: u16,
    /// A port of this machine's loopback that leads to the stand-in.
    pub port: u16,
    files: TempDir,
}

/// The place that it runs in. Rootless Podman shares no network between two containers but this machine's: there it
/// is a process beside the engine.
enum Host {
    Container(Arc<Container>),
    Process { running: Option<Running>, _port: port::Port },
}

struct Container {
    place: Place,
    name: String,
}

impl Pod {
    /// Starts a stand-in that speaks HTTP.
    pub fn http(place: Place, port: u16, program: &[&str]) -> Self {
        Self::start(place, "http", &["127.0.0.1"], port, program)
    }

    /// Starts a stand-in that is these hosts, by https.
    pub fn https(place: Place, names: &[&str], program: &[&str]) -> Self {
        Self::start(place, "https", names, 443, program)
    }

    fn start(place: Place, scheme: &'static str, names: &[&str], inside: u16, program: &[&str]) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let own_ca = files.path().join("ca.pem").to_str().expect("text").to_owned();
        let alone = place == Place::PodmanAsUser;
        let listen = format!("127.0.0.1:{inside}");
        let mut command = [program, &["--listen", &listen]].concat();
        let mut hosts = Vec::new();
        if scheme == "https" {
            command.extend(["--ca-out", if alone { &own_ca } else { CA }]);
            command.extend(names.iter().flat_map(|name| ["--name", name]));
            hosts.extend(names.iter().map(|name| format!("--add-host={name}:127.0.0.1")));
        }
        let (host, port) = if alone {
            let turn = port::take(inside);
            let mut process = Command::new(test_support::program(command[0]));
            let running = Running::start(process.args(&command[1..]));
            running.out.wait_for("listening on");
            (Host::Process { running: Some(running), _port: turn }, inside)
        } else {
            let container = Arc::new(Container::start(place, &hosts, &command));
            let port = relay(&container, inside);
            (Host::Container(container), port)
        };
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { host, scheme, names, inside, port, files }
    }

    /// The fields of a project whose logins find the stand-in.
    pub fn project(&self) -> Value {
        let mut project = match &self.host {
            Host::Container(container) => json!({"network": format!("container:{}", container.name)}),
            Host::Process { .. } => json!({"network": "host"}),
        };
        if self.scheme == "https" {
            project["ca_bundle"] = self.ca().to_str().expect("text").into();
            if let Host::Process { .. } = &self.host {
                let hosts = self.names.iter().map(|name| format!("{name}:127.0.0.1"));
                project["extra_hosts"] = hosts.collect();
            }
        }
        project
    }

    /// The certificate of the authority that the stand-in proves itself by.
    pub fn ca(&self) -> PathBuf {
        let path = self.files.path().join("ca.pem");
        if let Host::Container(container) = &self.host {
            let pem = container.place.ask(&["exec", &container.name, "cat", CA]);
            fs::write(&path, pem + "\n").expect("written");
        }
        // The user of a place is not always the one of this process.
        super::open_to_all(self.files.path(), 0o755);
        super::open_to_all(&path, 0o644);
        path
    }

    /// The stand-in's answer to a test.
    pub fn get(&self, path: &str) -> Value {
        let answer = output(&mut self.curl(path));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    /// Approves every login that waits; false when none does yet.
    pub fn approve(&self) -> bool {
        let asked = self.curl("/test/approve").args(["--request", "POST"]).output();
        asked.expect("curl").status.success()
    }

    fn curl(&self, path: &str) -> Command {
        let Self { scheme, port, .. } = self;
        let name = &self.names[0];
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "30"]);
        if *scheme == "https" {
            curl.args(["--resolve", &format!("{name}:{port}:127.0.0.1"), "--cacert"]).arg(self.ca());
        }
        curl.arg(format!("{scheme}://{name}:{port}{path}"));
        curl
    }

    /// The tokens of a new login.
    pub fn login(&self) -> Value {
        let answer = output(self.curl("/test/login").args(["--request", "POST"]));
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Ends the login that a refresh token is of.
    pub fn revoke(&self, refresh_token: &str) {
        output(self.curl("/oauth/revoke").args(["--data-urlencode", &format!("token={refresh_token}")]));
    }

    /// The tokens that were issued, oldest first.
    pub fn issued(&self) -> Vec<Value> {
        self.get("/test/issued").as_array().expect("a list").clone()
    }

    /// The stand-in's address, as a login spells it.
    pub fn address(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.names[0], self.inside)
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        match &mut self.host {
            Host::Container(container) => {
                let remove = ["rm", "--force", "--volumes", &container.name];
                let _ = container.place.client().args(remove).output();
            }
            Host::Process { running, .. } => {
                if let Some(running) = running.take() {
                    running.signal(Signal::KILL);
                    running.end();
                }
            }
        }
    }
}

impl Container {
    fn start(place: Place, hosts: &[String], command: &[&str]) -> Self {
        let number = RandomState::new().hash_one(std::process::id());
        let name = format!("authenticate-test-{number:016x}");
        // Podman shares the names of hosts with what joins the network only where there is one.
        let network = if place == Place::Podman && !hosts.is_empty() { "bridge" } else { "none" };
        let mut run = vec!["run", "--detach", "--name", &name, "--network", network];
        run.extend(hosts.iter().map(String::as_str));
        place.ask(&[&run[..], &[programs::image(place)], command].concat());
        let start = Instant::now();
        while !place.ask(&["logs", &name]).contains("listening on") {
            assert!(start.elapsed() < LIMIT, "{command:?} does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Self { place, name }
    }

    fn join(&self, port: u16, connection: TcpStream) -> io::Result<()> {
        let mut client = self.place.client();
        client.args(["exec", "--interactive", &self.name, "issuer", "relay", &port.to_string()]);
        let client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = client.spawn()?;
        let (mut to, mut from) = (client.stdin.take().expect("piped"), client.stdout.take().expect("piped"));
        let mut reading = connection.try_clone()?;
        let up = thread::spawn(move || copy(&mut reading, &mut to));
        let _ = copy(&mut from, &mut &connection);
        connection.shutdown(Shutdown::Both)?;
        let _ = up.join();
        client.wait().map(drop)
    }
}

/// Leads a port of this machine's loopback to one in the container.
fn relay(container: &Arc<Container>, to: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let container = Arc::clone(container);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let container = Arc::clone(&container);
            thread::spawn(move || container.join(to, connection));
        }
    });
    port
}

/// Like `io::copy`, but what has come is passed on at once.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
        to.flush()?;
    }
}
