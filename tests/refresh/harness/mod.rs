//! A user's store, those who issue tokens, and the program.

mod asker;
#[path = "../../programs/built.rs"]
mod built;
pub mod issuer;
#[path = "../../oauth/harness/server.rs"]
#[allow(dead_code, reason = "shared with the tests of native logins")]
mod openid;
mod server;

use std::{
    collections::BTreeMap,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use authenticate::{
    config::{Paths, Project},
    credential::{Address, Credential, Metadata, OAuth, Record, Secret},
    provider::Registry,
    refresh::{Refresh, RefreshError, Refreshed},
    store::Store,
    ui::Nobody,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use asker::Asker;
pub use built::program;
pub use issuer::Issuer;
pub use openid::Server as OpenId;
pub use server::Server;

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A store with the login of provider `acme`.
pub struct Home {
    directory: TempDir,
    pub paths: Paths,
}

impl Home {
    /// With a descriptor that renews at this token endpoint.
    pub fn new(token_url: &str) -> Self {
        Self::as_client(issuer::CLIENT, token_url)
    }

    /// With a descriptor that renews at the OpenID provider.
    pub fn of(server: &OpenId) -> Self {
        Self::as_client(openid::CLIENT, &server.token_url())
    }

    fn as_client(client: &str, token_url: &str) -> Self {
        let refresh = json!({"strategy": "oauth", "token_url": token_url, "client_id": client});
        Self::described(json!({"refresh": refresh}))
    }

    pub fn described(fields: Value) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        let mut descriptor = json!({
            "name": "acme",
            "label": "Acme",
            "modes": ["api_key"],
            "capture": [{
                "file": "auth.json",
                "format": "json",
                "kind": "oauth",
                "fields": {
                    "access_token": "/a",
                    "refresh_token": {"path": "/r", "optional": true},
                    "id_token": {"path": "/i", "optional": true},
                    "account": {"path": "/i", "as": "jwt_claim", "claim": "/email", "optional": true},
                },
            }],
        });
        for (name, value) in fields.as_object().expect("fields") {
            descriptor[name] = value.clone();
        }
        std::fs::create_dir_all(paths.providers()).expect("made");
        std::fs::write(paths.providers().join("acme.yaml"), descriptor.to_string()).expect("written");
        Self { directory, paths }
    }

    /// Another provider, which renews at this token endpoint.
    pub fn describes(&self, name: &str, token_url: &str) {
        let refresh = json!({"strategy": "oauth", "token_url": token_url, "client_id": issuer::CLIENT});
        let descriptor = json!({"name": name, "label": name, "modes": ["api_key"], "refresh": refresh});
        std::fs::write(self.paths.providers().join(format!("{name}.yaml")), descriptor.to_string())
            .expect("written");
    }

    /// From now on it renews at another token endpoint.
    pub fn renews_at(&self, token_url: &str) {
        let path = self.paths.providers().join("acme.yaml");
        let described = std::fs::read_to_string(&path).expect("described");
        let mut described: Value = serde_json::from_str(&described).expect("JSON");
        described["refresh"]["token_url"] = token_url.into();
        std::fs::write(path, described.to_string()).expect("written");
    }

    /// Stores the tokens of an answer, as if they had been got an hour ago and lasted as long as `left` from now.
    pub fn logged_in(&self, tokens: &Value, left: SignedDuration) -> Record {
        self.logged_in_as(tokens, left, Metadata::default())
    }

    pub fn logged_in_as(&self, tokens: &Value, left: SignedDuration, metadata: Metadata) -> Record {
        self.logged_in_at(&self.address(), tokens, left, metadata)
    }

    /// The same, at another address.
    pub fn logged_in_at(
        &self,
        address: &Address,
        tokens: &Value,
        left: SignedDuration,
        metadata: Metadata,
    ) -> Record {
        let text = |name: &str| tokens[name].as_str().map(Secret::new);
        let credential = Credential::OAuth(OAuth {
            access_token: text("access_token").expect("an access token"),
            refresh_token: text("refresh_token"),
            id_token: text("id_token"),
            extra: BTreeMap::new(),
        });
        let metadata = Metadata { expires_at: Timestamp::now().checked_add(left).ok(), ..metadata };
        let mut store = self.store();
        store.put(address, &credential, &metadata).expect("stored");
        drop(store);
        self.change("UPDATE credential SET updated_at = updated_at - 3600000");
        self.store().get(address).expect("read").expect("stored")
    }

    /// Lets time go by for what is stored, until it is past its end.
    pub fn expire(&self) {
        self.change(
            "UPDATE credential SET updated_at = updated_at - 7200000, expires_at = expires_at - 7200000",
        );
    }

    /// Makes what is stored one that does not open.
    pub fn alter(&self) {
        self.change("UPDATE credential SET secret = zeroblob(80)");
    }

    fn change(&self, sql: &str) {
        let database = self.paths.data().join(authenticate::store::FILE_NAME);
        let database = rusqlite::Connection::open(database).expect("opened");
        database.busy_timeout(LIMIT).expect("set");
        database.execute(sql, []).expect("changed");
    }

    pub fn address(&self) -> Address {
        Address::default_profile("acme".parse().expect("a name"))
    }

    pub fn store(&self) -> Store {
        Store::open(&self.paths).expect("opened")
    }

    pub fn record(&self) -> Record {
        self.store().get(&self.address()).expect("read").expect("stored")
    }

    /// The program, in an environment of its own.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authenticate"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("AUTHENTICATE_CONFIG_DIR", self.paths.config())
            .env("AUTHENTICATE_DATA_DIR", self.paths.data());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("ran")
    }

    /// Renews in this process.
    pub fn renew(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        runtime().block_on(self.renewing(seen, force))
    }

    pub async fn renewing(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        let registry = Registry::load_one(&self.paths, "acme");
        let provider = registry.get("acme").expect("described");
        let (paths, project) = (&self.paths, &Project::default());
        Refresh { paths, store: None, provider, project, ui: &Nobody }.refresh(seen, force).await
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The access token of a record.
pub fn access_token(record: &Record) -> String {
    record.credential.usable().expect("one").expose().to_owned()
}

/// Waits for a condition, which must come about.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LIMIT, "{what} did not come about");
        thread::yield_now();
    }
}

/// Past its time.
pub const EXPIRED: SignedDuration = SignedDuration::from_secs(-1);

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
