//! A user's configuration and data, and the program run with them.

use std::{
    fs,
    ops::Deref,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use authenticate::{
    credential::{Address, Record},
    store::Store,
};
use serde_json::Value;
use test_support::{Ended, Running, program_path};

use super::{Place, output};

/// The variables of a test run that are about the network; all others are left out.
const NETWORK: [&str; 9] = [
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
];

/// A build fetches packages.
const BUILD: Duration = Duration::from_secs(600);

/// A place to run the program, of one user on one engine.
pub struct Home {
    pub place: Place,
    home: test_support::Home,
}

impl Deref for Home {
    type Target = test_support::Home;

    fn deref(&self) -> &Self::Target {
        &self.home
    }
}

impl Home {
    /// An empty one.
    pub fn on(place: Place) -> Self {
        let home = Self { place, home: test_support::Home::new() };
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        for part in ["config/providers", "config/projects", "config/images"] {
            fs::create_dir_all(home.path().join(part)).expect("made");
        }
        if let Some(user) = place.user() {
            // Where it was built, only root may be able to go.
            fs::copy(program_path(), home.program()).expect("copied");
            output(Command::new("chown").args(["-R", &user.name]).arg(home.path()));
        }
        home
    }

    pub fn program(&self) -> PathBuf {
        match self.place.user() {
            Some(_) => self.path().join("authenticate"),
            None => program_path().into(),
        }
    }

    /// A file of the user's own, below the home directory.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.write(name, content);
        if let Some(user) = self.place.user() {
            chown(&path, Some(user.uid), Some(user.gid)).expect("theirs");
        }
        path
    }

    /// A provider's descriptor. JSON is YAML.
    pub fn provider(&self, name: &str, descriptor: Value) {
        self.file(&format!("config/providers/{name}.yaml"), &descriptor.to_string());
    }

    /// A project's file, which names the engine.
    pub fn project(&self, name: &str, mut project: Value) {
        project["engine"] = self.place.url().into();
        self.file(&format!("config/projects/{name}.yaml"), &project.to_string());
    }

    /// The program, as the user of the place and in an environment of its own.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match self.place.user() {
            Some(user) => {
                let mut command = Command::new("setpriv");
                // Who has an engine of his own is not in the group `docker`.
                let own = self.place == Place::RootlessDocker;
                let groups = if own { "--clear-groups" } else { "--init-groups" };
                command.args(["--reuid", &user.name, "--regid", &user.name, groups, "--"]);
                command.arg(self.program());
                command
            }
            None => Command::new(self.program()),
        };
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("AUTHENTICATE_CONFIG_DIR", self.path().join("config"))
            .env("AUTHENTICATE_DATA_DIR", self.data())
            .current_dir(self.path());
        command
    }

    /// The program with the environment that says how the network is reached, for what goes there.
    pub fn networked(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.envs(NETWORK.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
    }

    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(&mut self.command(args))
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        self.start(args).end()
    }

    /// The image of a provider's login, built if need be.
    pub fn image(&self, provider: &str) -> String {
        let mut args = vec!["image", "build", provider, "--engine", self.place.url()];
        args.extend(self.place.build_network().into_iter().flat_map(|network| ["--network", network]));
        Running::start(&mut self.networked(&args)).end_within(BUILD).expect(0).out.trim().to_owned()
    }

    /// The record of a provider, straight from the database.
    pub fn record(&self, provider: &str) -> Option<Record> {
        // A copy of ours: what belongs to somebody else is refused.
        let copy = tempfile::tempdir().expect("a directory");
        for entry in fs::read_dir(self.data()).expect("the data directory").flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let to = copy.path().join(entry.file_name());
                fs::copy(entry.path(), &to).expect("copied");
                fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("mode");
            }
        }
        let address = Address::default_profile(provider.parse().expect("a name"));
        Store::open_existing(copy.path()).expect("a store")?.get(&address).expect("readable")
    }

    /// `status --json`
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).expect(0).out).expect("JSON")
    }

    /// The containers of our logins, running or not.
    pub fn containers(&self) -> Vec<String> {
        let all = self.place.ask(&["ps", "--all", "--quiet", "--filter", "label=io.github.authenticate"]);
        let ours = |id: &&str| {
            // Others come and go.
            let seen = self.place.client().args(["inspect", id]).output();
            let seen = seen.expect("Docker's client");
            String::from_utf8_lossy(&seen.stdout).contains(self.path().to_str().expect("text"))
        };
        all.lines().filter(ours).map(str::to_owned).collect()
    }

    /// After a login nothing is left of it: no container, no lock and no file but the database's.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.containers(), [""; 0]);
        assert_eq!(self.leftovers(), [""; 0]);
    }

    /// The content of the data directory besides the database.
    pub fn leftovers(&self) -> Vec<String> {
        let data = self.data();
        if !data.exists() {
            return Vec::new();
        }
        let found = output(Command::new("find").arg(&data).args(["-mindepth", "1", "-printf", "%P\\n"]));
        let expected = |name: &&str| {
            !["logins", "turns", "store.key"].contains(name) && !name.starts_with("credentials.db")
        };
        found.lines().filter(expected).map(str::to_owned).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for id in self.containers() {
            let _ = self.place.client().args(["rm", "--force", &id]).output();
        }
    }
}
