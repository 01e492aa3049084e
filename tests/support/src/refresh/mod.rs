//! A home whose provider `acme` has a login that can be refreshed.

mod asker;

use std::{collections::BTreeMap, ops::Deref, process::Output};

use authenticate::{
    context::Context,
    credential::{Address, Credential, Metadata, OAuth, Record, Secret},
    refresh::{Refresh, RefreshError, Refreshed},
    store::Store,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use asker::Asker;

use crate::{LIMIT, OpenId, issuer, openid, runtime};

/// A [`crate::Home`] with the provider `acme`.
pub struct Home(crate::Home);

impl Deref for Home {
    type Target = crate::Home;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
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
        let home = crate::Home::new();
        let mut descriptor = json!({
            "name": "acme",
            "label": "Acme",
            "modes": ["api_key"],
            "dead_token_codes": ["refresh_token_invalidated", "refresh_token_reused"],
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
        home.write("config/providers/acme.yaml", &descriptor.to_string());
        Self(home)
    }

    /// Another provider, which renews at this token endpoint.
    pub fn describes(&self, name: &str, token_url: &str) {
        let refresh = json!({"strategy": "oauth", "token_url": token_url, "client_id": issuer::CLIENT});
        let descriptor = json!({"name": name, "label": name, "modes": ["api_key"], "refresh": refresh});
        self.write(&format!("config/providers/{name}.yaml"), &descriptor.to_string());
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

    /// Stores them like [`Home::logged_in_as`], at another address.
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
        let database = self.database();
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

    /// Runs the program to its end, whichever it is.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("ran")
    }

    /// Renews in this process.
    pub fn renew(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        runtime().block_on(self.renewing(seen, force))
    }

    pub async fn renewing(&self, seen: &Record, force: bool) -> Result<Refreshed, RefreshError> {
        let context = Context::new(self.paths.clone());
        Refresh::of(&context, seen)?.refresh(seen, force).await
    }
}

/// The access token of a record.
pub fn access_token(record: &Record) -> String {
    record.credential.usable().expect("one").expose().to_owned()
}

/// The remaining time of a token that has expired.
pub const EXPIRED: SignedDuration = SignedDuration::from_secs(-1);
