//! A home in a temporary directory, and the program run in it.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use authenticate::{
    credential::{Address, Credential, Metadata, Name},
    store::{FILE_NAME, KeySource, Place, Store, Summary},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes; what has not ended then hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A key that OpenAI's pattern takes, and that is recognised wherever it turns up.
pub const KEY: &str = "sk-CANARY-0123456789-abcdefghij";
/// What of [`KEY`] must not be seen.
pub const CANARY: &str = "CANARY";

/// Exit codes, as they are documented.
pub mod code {
    pub use authenticate::exit::{
        BUSY, DONE, ENGINE, FAILED, INTERRUPTED, LOGIN_FAILED, NO_CREDENTIAL, STORE, USAGE,
    };
}

/// An empty home with both directories of the program. Nothing of it is there until it is needed.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("config")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join(FILE_NAME)
    }

    /// Writes a file below the home and returns its path.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("written");
        path
    }

    /// The program in this home, with nothing in its environment but where that is.
    pub fn authenticate<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().envs(self.environment()).current_dir(self.path());
        Run { command, input: Vec::new(), stdout: Stdio::piped(), stderr: Stdio::piped() }
    }

    /// Where the home is, and no engine anywhere.
    pub fn environment(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("HOME", self.path().to_owned()),
            ("AUTHENTICATE_CONFIG_DIR", self.config()),
            ("AUTHENTICATE_DATA_DIR", self.data()),
            ("DOCKER_HOST", "unix:///nonexistent/docker.sock".into()),
            ("CONTAINER_HOST", "unix:///nonexistent/podman.sock".into()),
        ]
    }

    /// Stores a key by standard input.
    pub fn stores(&self, target: &str, key: &str) -> Outcome {
        self.authenticate(["demo", target, "--mode", "api_key", "--api-key-stdin"])
            .input(key)
            .exits(code::DONE)
    }

    /// Stores any credential, through the library.
    pub fn put(&self, provider: &str, credential: &Credential, metadata: &Metadata) {
        let address = Address::default_profile(name(provider));
        Store::open(Place::from(&self.data()).key_source(KeySource::KeyFile))
            .expect("a store")
            .put(&address, credential, metadata)
            .expect("stored");
    }

    /// All that is stored, as `set/provider/profile` and what is sealed there.
    pub fn stored(&self) -> Vec<(String, String)> {
        let Some(store) = Store::open_existing(&self.data()).expect("opened") else { return Vec::new() };
        let mut stored: Vec<_> = store
            .list(None)
            .expect("listed")
            .into_iter()
            .map(|Summary { address, .. }| {
                let record = store.get(&address).expect("read").expect("there");
                let text = String::from_utf8(record.credential.encode().to_vec()).expect("text");
                (format!("{}/{}/{}", address.set, address.provider, address.profile), text)
            })
            .collect();
        stored.sort();
        stored
    }

    /// The keys of API keys that are stored, by `set/provider/profile`.
    pub fn keys(&self) -> Vec<(String, String)> {
        let key = |secret: String| json(&secret)["key"].as_str().expect("a key").to_owned();
        self.stored().into_iter().map(|(address, secret)| (address, key(secret))).collect()
    }
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_authenticate");

/// One run of the program.
pub struct Run {
    command: Command,
    input: Vec<u8>,
    stdout: Stdio,
    stderr: Stdio,
}

impl Run {
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With no more memory than this.
    pub fn within_megabytes(self, megabytes: u64) -> Self {
        self.after(&format!("ulimit -v {}", megabytes * 1024))
    }

    /// With no more open files than this.
    pub fn with_descriptors(self, most: u32) -> Self {
        self.after(&format!("ulimit -n {most}"))
    }

    /// Without what the super-user may do: as anybody for whom modes count.
    pub fn without_privileges(self) -> Self {
        let drop = r#"setpriv --bounding-set=-all --inh-caps=-all "$0" "$@""#;
        self.after(&format!(r#"[ "$(id -u)" != 0 ] || exec {drop}"#))
    }

    /// With no room on any disk.
    pub fn without_room(self) -> Self {
        self.after("trap '' XFSZ; ulimit -f 0")
    }

    /// In a shell in which this was run before.
    fn after(mut self, script: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]);
        command.arg(PROGRAM).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().expect("a directory"));
        self.command = command;
        self
    }

    /// Where its standard output goes, in place of a pipe that is read.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.stdout = to.into();
        self
    }

    /// Where its standard error goes, in place of a pipe that is read.
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.stderr = to.into();
        self
    }

    /// What is on its standard input, which ends there.
    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_owned();
        self
    }

    /// Starts it with pipes and leaves the rest to the caller.
    pub fn starts(mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(self.stdout).stderr(self.stderr);
        self.command.spawn().expect("started")
    }

    /// Runs it to its end, which must be this exit code.
    #[track_caller]
    pub fn exits(self, code: u8) -> Outcome {
        let outcome = self.ends();
        assert_eq!(outcome.code, Some(code.into()), "{outcome:#?}");
        outcome
    }

    /// Runs it to its end. What it prints into a pipe never has escape codes, and it never panics.
    #[track_caller]
    pub fn ends(self) -> Outcome {
        let command = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let input = self.input.clone();
        let mut child = self.starts();
        // It may have ended without reading it.
        let _ = child.stdin.take().expect("its input").write_all(&input);
        let output = wait(child, &command);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let outcome = Outcome {
            command,
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!outcome.all().contains('\x1b'), "escape codes: {outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        outcome
    }
}

/// Waits for the end of a program; one that hangs is ended, and the test with it.
#[track_caller]
fn wait(child: Child, command: &str) -> std::process::Output {
    let pid = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = end.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            let _ = kill_process(pid, Signal::KILL);
        }
        hangs
    });
    let output = child.wait_with_output().expect("ended");
    drop(ended);
    assert!(!watch.join().expect("watched"), "{command} hangs");
    output
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    #[allow(dead_code, reason = "shown when an assertion fails")]
    pub command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// It printed this on standard error, and nothing on standard output.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "{text:?} is not said: {self:#?}");
        assert!(self.stdout.is_empty(), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.all().contains(text), "{text:?} is said: {self:#?}");
        self
    }

    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "{text:?} is not printed: {self:#?}");
        self
    }

    /// The one JSON document of its standard output, which has our version.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value = json(&self.stdout);
        assert_eq!(value["schema"], 1, "{self:#?}");
        value
    }
}

#[track_caller]
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// Every file below a directory, links and all, without following any.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => files.extend(files_below(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files.sort();
    files
}
