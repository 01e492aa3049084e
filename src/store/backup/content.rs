//! The content of a backup: `{"schema": 1, "kind": "authenticate backup", "created_at": .., "credentials": [..]}`.
//!
//! Each credential has its address and metadata beside it, and the last attempt to refresh it: a token that must not be
//! sent again must not be sent after a restore either.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::BackupEntry;
use crate::{
    credential::{Address, Credential, Kind, Metadata, Name, Owner, Record},
    store::{AttemptState, RefreshAttempt},
};

const KIND: &str = "authenticate backup";
const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup<'a> {
    schema: u32,
    kind: String,
    #[serde(rename = "created_at")]
    _created_at: Timestamp,
    #[serde(borrow)]
    credentials: Vec<Entry<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    provider: Name,
    set: Name,
    profile: Name,
    kind: Kind,
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    host: Option<String>,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    owner: Owner,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exchange: Option<RefreshAttempt>,
    #[serde(borrow)]
    credential: &'a RawValue,
}

/// Writes credentials. Only one of them is in memory as text at a time.
pub(super) fn write(mut to: impl Write, entries: &[BackupEntry]) -> io::Result<()> {
    let now = crate::clock::now();
    write!(to, r#"{{"schema":{SCHEMA},"kind":"{KIND}","created_at":"{now}","credentials":["#)?;
    for (index, BackupEntry { record, attempt }) in entries.iter().enumerate() {
        let encoded = record.credential.encode();
        let text = std::str::from_utf8(&encoded).map_err(io::Error::other)?;
        let entry = Entry {
            provider: record.address.provider.clone(),
            set: record.address.set.clone(),
            profile: record.address.profile.clone(),
            kind: record.credential.kind(),
            account: record.metadata.account.clone(),
            plan: record.metadata.plan.clone(),
            host: record.metadata.host.clone(),
            scopes: record.metadata.scopes.clone(),
            expires_at: record.metadata.expires_at,
            owner: record.metadata.owner,
            created_at: record.created_at,
            updated_at: record.updated_at,
            exchange: attempt.clone(),
            credential: serde_json::from_str(text).map_err(io::Error::other)?,
        };
        let mut line = Zeroizing::new(Vec::with_capacity(encoded.len() + 512));
        serde_json::to_writer(&mut *line, &entry).map_err(io::Error::other)?;
        to.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        to.write_all(&line)?;
    }
    to.write_all(b"\n]}\n")
}

fn not_a_credential(address: &Address, problem: &str) -> String {
    format!("holds something for {address} that is not a credential: {problem}")
}

/// Reads and checks a whole backup. The error holds nothing of the content but names.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<BackupEntry>, String> {
    let not_ours = |error: serde_json::Error| {
        format!("is not a backup of authenticate (line {}, column {})", error.line(), error.column())
    };
    let backup: Backup<'_> = serde_json::from_slice(bytes).map_err(not_ours)?;
    if backup.kind != KIND {
        return Err("is not a backup of authenticate".into());
    }
    if backup.schema != SCHEMA {
        return Err(format!("was written by a newer version of authenticate (schema {})", backup.schema));
    }
    let mut seen = BTreeSet::new();
    let mut entries = Vec::with_capacity(backup.credentials.len());
    for entry in backup.credentials {
        let address = Address { set: entry.set, provider: entry.provider, profile: entry.profile };
        let credential = Credential::decode(entry.credential.get().as_bytes())
            .ok()
            .filter(|credential| credential.kind() == entry.kind)
            .ok_or_else(|| not_a_credential(&address, "it has another form"))?;
        if !seen.insert(address.clone()) {
            return Err(format!("holds {address} twice"));
        }
        let metadata = Metadata {
            account: entry.account,
            plan: entry.plan,
            host: entry.host,
            scopes: entry.scopes,
            expires_at: entry.expires_at,
            owner: entry.owner,
        };
        if let Some(problem) = credential.problem(&metadata) {
            return Err(not_a_credential(&address, problem));
        }
        let (created_at, updated_at) = (entry.created_at, entry.updated_at);
        let attempt = entry.exchange.map(|attempt| match attempt.state {
            AttemptState::InFlight => {
                let why = Some("the backup was made while it was being refreshed".to_owned());
                RefreshAttempt { state: AttemptState::Unknown, why, ..attempt }
            }
            AttemptState::Rejected | AttemptState::Unknown => attempt,
        });
        let record = Record { address, credential, metadata, created_at, updated_at, version: 0 };
        entries.push(BackupEntry { record, attempt });
    }
    Ok(entries)
}
