//! The state of a stored credential, as far as it is known without asking the vendor.

use jiff::Timestamp;

use crate::{
    config::env_value,
    credential::{Address, Kind, LOGIN, LOGIN_AT, LOGIN_CLIENT, Owner, REVOCATION, SET_ASIDE},
    login::oauth::non_interactive::is_non_interactive,
    net::endpoint::Endpoint,
    provider::{Descriptor, Mode, descriptor::RefreshStrategy},
    refresh::{LONGEST, lock},
    store::{AttemptState, RefreshAttempt, Store, StoreError, Summary},
};

/// The state of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// It can be used.
    Ok,
    /// It has expired.
    Expired,
    /// Only a person can help, see [`RefreshProblem`].
    NeedsLogin,
    /// A refresh is in flight.
    Refreshing,
    /// A refresh was interrupted, the stored row cannot be read, its variable holds no valid value, or it is in the environment and
    /// a descriptor file of its provider is invalid.
    Error,
}

impl CredentialState {
    /// The word for people and for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expired => "expired",
            Self::NeedsLogin => "needs login",
            Self::Refreshing => "refreshing",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for CredentialState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The reason why a login is not refreshed any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshProblem {
    /// The vendor has rejected its refresh token, for this reason.
    Rejected(String),
    /// It is unknown whether its refresh token is spent, for this reason.
    OutcomeUnknown(String),
    /// The vendor's new tokens do not fit, for this reason, and were set aside.
    SetAside(String),
}

impl RefreshProblem {
    /// The problem that a refresh attempt has left; `None` while the attempt is in flight.
    pub(super) fn of(stored: &Summary, state: CredentialState, attempt: &RefreshAttempt) -> Option<Self> {
        let why = match attempt.state {
            AttemptState::InFlight if state == CredentialState::Refreshing => return None,
            AttemptState::InFlight => attempt.interrupted(),
            AttemptState::Unknown | AttemptState::Rejected => attempt.why.clone().unwrap_or_default(),
        };
        let has_set_aside = stored.parts.iter().any(|part| part == SET_ASIDE);
        Some(match attempt.state {
            _ if has_set_aside && !attempt.is_by_restore() => Self::SetAside(why),
            AttemptState::Rejected => Self::Rejected(why),
            AttemptState::Unknown | AttemptState::InFlight => Self::OutcomeUnknown(why),
        })
    }

    /// The reason.
    pub fn why(&self) -> &str {
        let (Self::Rejected(why) | Self::OutcomeUnknown(why) | Self::SetAside(why)) = self;
        why
    }
}

impl std::fmt::Display for RefreshProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(why) => write!(f, "the vendor has rejected its refresh token: {why}"),
            Self::OutcomeUnknown(why) => write!(f, "the outcome of its last refresh is unknown: {why}"),
            Self::SetAside(why) => write!(f, "the vendor's new tokens were set aside: {why}"),
        }
    }
}

/// The state of a stored credential, given the state according to its refresh attempt.
pub fn credential_state(
    stored: &Summary,
    by_attempt: Option<CredentialState>,
    now: Timestamp,
) -> CredentialState {
    let is_expired = stored.metadata.expires_at.is_some_and(|expiry| expiry <= now);
    by_attempt.unwrap_or(if is_expired { CredentialState::Expired } else { CredentialState::Ok })
}

/// The state of a credential according to its refresh attempt, which was read from this store.
///
/// # Errors
/// As [`Store::open`].
pub fn attempt_state(
    store: &Store,
    address: &Address,
    attempt: &RefreshAttempt,
    now: Timestamp,
) -> Result<CredentialState, StoreError> {
    Ok(match attempt.state {
        AttemptState::Rejected | AttemptState::Unknown => CredentialState::NeedsLogin,
        AttemptState::InFlight if is_in_flight(store, address, attempt, now)? => CredentialState::Refreshing,
        AttemptState::InFlight => CredentialState::Error,
    })
}

/// Whether the holder of an attempt is alive.
fn is_in_flight(
    store: &Store,
    address: &Address,
    attempt: &RefreshAttempt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match store.data_dir().and_then(|data| lock::is_held(data, address)) {
        Some(true) => Ok(true),
        // The holder may have finished between the two looks.
        Some(false) => Ok(store.attempt(address)?.as_ref() != Some(attempt)),
        // A store in memory: a holder that takes longer than any refresh is dead.
        None => Ok(attempt.since.checked_add(LONGEST).is_ok_and(|end| now < end)),
    }
}

/// Whether we can refresh a stored credential: it is ours, and has what a refresh method of its provider needs.
pub fn is_refreshable(stored: &Summary, provider: Option<&Descriptor>) -> bool {
    let Some(provider) = provider else { return false };
    // The parts of a credential that an older version stored are not known.
    let has_token = stored.parts.is_empty() || stored.parts.iter().any(|part| part == "refresh_token");
    let flow = oauth_flow(stored);
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    let has_method = match (flow, strategy) {
        (Some(mode), _) => has_token || is_non_interactive(mode),
        (None, Some(RefreshStrategy::Oauth)) => has_token,
        (None, Some(RefreshStrategy::Command)) => true,
        (None, Some(RefreshStrategy::None) | None) => false,
    };
    has_method && stored.kind == Kind::Oauth && stored.metadata.owner == Owner::Us
}

/// Whether a logout asks the vendor to revoke a stored credential: it is an OAuth login and ours, and there is a revocation
/// endpoint. Tokens of an OAuth flow go to no other server than the one that issued them.
pub fn is_revocable(stored: &Summary, provider: Option<&Descriptor>) -> bool {
    let described = provider.and_then(|known| known.revoke.as_ref());
    let host = stored.parts.iter().find_map(|part| part.strip_prefix(LOGIN_AT));
    let has_endpoint = match (oauth_flow(stored), host) {
        (Some(_), Some(host)) => {
            let is_there = |url: &str| url.parse::<Endpoint>().is_ok_and(|url| url.host() == host);
            stored.parts.iter().any(|part| part == REVOCATION)
                || described.is_some_and(|revoke| is_there(&revoke.url))
        }
        // The origin of a credential that an older version stored is not known.
        _ => described.is_some(),
    };
    has_endpoint && stored.kind == Kind::Oauth && stored.metadata.owner.is_us()
}

/// The OAuth client that refreshes a stored login: the client that made it, or else its descriptor's.
pub fn refresh_client(stored: &Summary, provider: Option<&Descriptor>) -> Option<String> {
    if stored.kind != Kind::Oauth || !stored.metadata.owner.is_us() {
        return None;
    }
    let made_by = stored.parts.iter().find_map(|part| part.strip_prefix(LOGIN_CLIENT));
    if oauth_flow(stored).is_some() {
        return made_by.map(str::to_owned);
    }
    let described = provider?.refresh.as_ref()?.client_id.as_ref()?;
    // The value of a variable is not shown.
    env_value::variable(described).is_none().then(|| described.clone())
}

fn oauth_flow(stored: &Summary) -> Option<Mode> {
    let is_part = |part: String| stored.parts.contains(&part);
    Mode::OAUTH_FLOWS.into_iter().find(|mode| is_part(format!("{LOGIN}{mode}")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::*;
    use crate::{
        credential::{Credential, Metadata},
        login::cli::refresh,
    };

    fn stored(expires_at: Option<Timestamp>) -> Summary {
        let long_ago = Timestamp::UNIX_EPOCH;
        Summary {
            address: Address::default_profile("acme".parse().expect("a name")),
            kind: Kind::Oauth,
            metadata: Metadata { expires_at, ..Metadata::default() },
            created_at: long_ago,
            updated_at: long_ago,
            version: 1,
            parts: Vec::new(),
        }
    }

    #[test]
    fn attempt_counts_more_than_the_time() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let later = now + SignedDuration::from_secs(1);
        for (by_attempt, while_it_lasts, afterwards) in [
            (None, CredentialState::Ok, CredentialState::Expired),
            (Some(CredentialState::Refreshing), CredentialState::Refreshing, CredentialState::Refreshing),
            (Some(CredentialState::NeedsLogin), CredentialState::NeedsLogin, CredentialState::NeedsLogin),
        ] {
            assert_eq!(credential_state(&stored(None), by_attempt, now), while_it_lasts, "{by_attempt:?}");
            assert_eq!(
                credential_state(&stored(Some(later)), by_attempt, now),
                while_it_lasts,
                "{by_attempt:?}"
            );
            assert_eq!(credential_state(&stored(Some(now)), by_attempt, now), afterwards, "{by_attempt:?}");
        }
    }

    /// A store in memory has no lock file.
    #[test]
    fn attempt_in_memory_is_in_flight_for_as_long_as_any_takes() {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let key = Credential::api_key("one");
        let version = store.put(&address, &key, &Metadata::default()).expect("stored").version;
        store.begin_attempt(&address, version, "me", false).expect("begun");
        let after = |store: &Store, time: Duration| {
            let attempt = store.attempt(&address).expect("read").expect("recorded");
            attempt_state(store, &address, &attempt, attempt.since + time).expect("known")
        };
        // The vendor or its CLI answered late, and storing the answer took long.
        let healthy = refresh::LIMIT + Duration::from_secs(150);
        assert_eq!(
            (after(&store, healthy), after(&store, LONGEST)),
            (CredentialState::Refreshing, CredentialState::Error)
        );
        for state in [AttemptState::Rejected, AttemptState::Unknown] {
            store.end_attempt(&address, version, state, "me", "why").expect("ended");
            assert_eq!(
                (after(&store, healthy), after(&store, LONGEST)),
                (CredentialState::NeedsLogin, CredentialState::NeedsLogin)
            );
        }
    }
}
