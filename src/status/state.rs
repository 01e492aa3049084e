//! How a stored credential is, as far as that is known without asking anybody.

use jiff::Timestamp;

use crate::{
    config::env_value,
    credential::{Address, Kind, LOGIN, LOGIN_AT, LOGIN_CLIENT, Owner, REVOCATION},
    login::oauth::regrant::is_non_interactive,
    net::endpoint::Endpoint,
    provider::{Descriptor, Mode, descriptor::RefreshStrategy},
    refresh::{LONGEST, lock},
    store::{AttemptState, RefreshAttempt, Store, StoreError, Summary},
};

/// How a stored credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// It can be used.
    Ok,
    /// It is past its time.
    Expired,
    /// The vendor has said that it cannot be renewed.
    NeedsLogin,
    /// It is being renewed.
    Refreshing,
    /// Somebody was renewing it and did not come to an end; or what is stored cannot be read; or what its variable holds
    /// cannot be one, or is not used because a file of its provider is wrong.
    Error,
}

impl CredentialState {
    /// The words for people and for JSON.
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

/// The state of a stored credential, of which this is known by the exchange of its refresh token.
pub fn credential_state(
    stored: &Summary,
    by_exchange: Option<CredentialState>,
    now: Timestamp,
) -> CredentialState {
    let is_expired = stored.metadata.expires_at.is_some_and(|expiry| expiry <= now);
    match by_exchange {
        Some(state) => state,
        None if is_expired => CredentialState::Expired,
        None => CredentialState::Ok,
    }
}

/// The state of a credential by the exchange of its refresh token, as it was read from this store.
///
/// # Errors
/// As [`Store::open`].
pub fn attempt_state(
    store: &Store,
    address: &Address,
    exchange: &RefreshAttempt,
    now: Timestamp,
) -> Result<CredentialState, StoreError> {
    Ok(match exchange.state {
        AttemptState::Rejected | AttemptState::Unknown => CredentialState::NeedsLogin,
        AttemptState::InFlight if is_in_flight(store, address, exchange, now)? => CredentialState::Refreshing,
        AttemptState::InFlight => CredentialState::Error,
    })
}

/// Whether somebody is at it.
fn is_in_flight(
    store: &Store,
    address: &Address,
    exchange: &RefreshAttempt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match store.data_dir().and_then(|data| lock::is_held(data, address)) {
        Some(true) => Ok(true),
        // Whoever had the turn may have come to the end between the two looks.
        Some(false) => Ok(store.attempt(address)?.as_ref() != Some(exchange)),
        // In memory. Whoever has one for longer than any takes is not there any more.
        None => Ok(exchange.since.checked_add(LONGEST).is_ok_and(|end| now < end)),
    }
}

/// Whether we can renew a stored credential: it is ours, its provider has a way, and it has what that way needs.
pub fn is_refreshable(stored: &Summary, provider: Option<&Descriptor>) -> bool {
    let Some(provider) = provider else { return false };
    // Of one that an older version stored, the parts are not known.
    let has_token = stored.parts.is_empty() || stored.parts.iter().any(|part| part == "refresh_token");
    let native = oauth_flow(stored);
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    let way = match (native, strategy) {
        (Some(mode), _) => has_token || is_non_interactive(mode),
        (None, Some(RefreshStrategy::Oauth)) => has_token,
        (None, Some(RefreshStrategy::Command)) => true,
        (None, Some(RefreshStrategy::None) | None) => false,
    };
    way && stored.kind == Kind::Oauth && stored.metadata.owner == Owner::Us
}

/// Whether the vendor is asked when a stored credential is logged out: it is an OAuth login and ours, and there is a place
/// that revokes it. Tokens of a native login go to no other server than the one that they came from.
pub fn is_revocable(stored: &Summary, provider: Option<&Descriptor>) -> bool {
    let described = provider.and_then(|known| known.revoke.as_ref());
    let host = stored.parts.iter().find_map(|part| part.strip_prefix(LOGIN_AT));
    let place = match (oauth_flow(stored), host) {
        (Some(_), Some(host)) => {
            let is_there = |url: &str| url.parse::<Endpoint>().is_ok_and(|url| url.host() == host);
            stored.parts.iter().any(|part| part == REVOCATION)
                || described.is_some_and(|revoke| is_there(&revoke.url))
        }
        // Of a native one that an older version stored, it is not known where it came from.
        _ => described.is_some(),
    };
    place && stored.kind == Kind::Oauth && stored.metadata.owner.is_us()
}

/// The OAuth client that renews a stored login: the one that made it, or else the one of its descriptor.
pub fn refresh_client(stored: &Summary, provider: Option<&Descriptor>) -> Option<String> {
    if stored.kind != Kind::Oauth || !stored.metadata.owner.is_us() {
        return None;
    }
    let made_by = stored.parts.iter().find_map(|part| part.strip_prefix(LOGIN_CLIENT));
    if oauth_flow(stored).is_some() {
        return made_by.map(str::to_owned);
    }
    let described = provider?.refresh.as_ref()?.client_id.as_ref()?;
    // What is in a variable is shown to nobody.
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
    fn the_exchange_counts_more_than_the_time() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let later = now + SignedDuration::from_secs(1);
        for (by_exchange, while_it_lasts, afterwards) in [
            (None, CredentialState::Ok, CredentialState::Expired),
            (Some(CredentialState::Refreshing), CredentialState::Refreshing, CredentialState::Refreshing),
            (Some(CredentialState::NeedsLogin), CredentialState::NeedsLogin, CredentialState::NeedsLogin),
        ] {
            assert_eq!(credential_state(&stored(None), by_exchange, now), while_it_lasts, "{by_exchange:?}");
            assert_eq!(
                credential_state(&stored(Some(later)), by_exchange, now),
                while_it_lasts,
                "{by_exchange:?}"
            );
            assert_eq!(credential_state(&stored(Some(now)), by_exchange, now), afterwards, "{by_exchange:?}");
        }
    }

    /// A store in memory: there is no lock to be looked at.
    #[test]
    fn an_exchange_goes_on_for_as_long_as_any_takes() {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let key = Credential::api_key("one");
        let version = store.put(&address, &key, &Metadata::default()).expect("stored").version;
        store.begin_attempt(&address, version, "me", false).expect("begun");
        let after = |store: &Store, time: Duration| {
            let exchange = store.attempt(&address).expect("read").expect("recorded");
            attempt_state(store, &address, &exchange, exchange.since + time).expect("known")
        };
        // The vendor has answered late, or its CLI did, and the answer could not be stored for long.
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
