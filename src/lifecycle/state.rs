//! How a stored credential is, as far as that is known without asking anybody.

use jiff::{SignedDuration, Timestamp};

use crate::{
    credential::{Kind, LOGIN, LOGIN_AT, Owner, REVOCATION},
    endpoint::Endpoint,
    login::again::asks_nobody,
    provider::{Descriptor, Mode, descriptor::RefreshStrategy},
    store::{Exchange, ExchangeState, Summary},
};

/// How a stored credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
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

impl State {
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

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// An exchange takes less than this; whoever has one for longer is dead.
const LONGEST: SignedDuration = SignedDuration::from_mins(3);

/// The state of a stored credential, of which this is known of the exchange of its refresh token.
pub fn of(stored: &Summary, exchange: Option<&Exchange>, now: Timestamp) -> State {
    let is_expired = stored.metadata.expires_at.is_some_and(|expiry| expiry <= now);
    match exchange {
        Some(exchange) => of_exchange(exchange, now),
        None if is_expired => State::Expired,
        None => State::Ok,
    }
}

/// The state of a credential by the exchange of its refresh token.
pub fn of_exchange(exchange: &Exchange, now: Timestamp) -> State {
    match exchange.state {
        ExchangeState::Refused | ExchangeState::Unknown => State::NeedsLogin,
        ExchangeState::Sent if now.duration_since(exchange.since) < LONGEST => State::Refreshing,
        ExchangeState::Sent => State::Error,
    }
}

/// Whether we can renew a stored credential: it is ours, its provider has a way, and it has what that way needs.
pub fn is_refreshable(stored: &Summary, provider: Option<&Descriptor>) -> bool {
    let Some(provider) = provider else { return false };
    // Of one that an older version stored, the parts are not known.
    let has_token = stored.parts.is_empty() || stored.parts.iter().any(|part| part == "refresh_token");
    let native = native_mode(stored);
    let strategy = provider.refresh.as_ref().map(|refresh| refresh.strategy);
    let way = match (native, strategy) {
        (Some(mode), _) => has_token || asks_nobody(mode),
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
    let place = match (native_mode(stored), host) {
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

fn native_mode(stored: &Summary) -> Option<Mode> {
    let is_part = |part: String| stored.parts.contains(&part);
    Mode::NATIVE.into_iter().find(|mode| is_part(format!("{LOGIN}{mode}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{credential::Metadata, name::Address};

    fn stored(expires_at: Option<Timestamp>) -> Summary {
        let long_ago = Timestamp::UNIX_EPOCH;
        Summary {
            address: Address::of("acme".parse().expect("a name")),
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
        let ago = |seconds| now - SignedDuration::from_secs(seconds);
        let exchange =
            |state, since| Some(Exchange { version: 1, state, holder: "process 1".into(), since, why: None });
        for (exchange, while_it_lasts, afterwards) in [
            (None, State::Ok, State::Expired),
            (exchange(ExchangeState::Sent, ago(5)), State::Refreshing, State::Refreshing),
            (exchange(ExchangeState::Sent, ago(600)), State::Error, State::Error),
            (exchange(ExchangeState::Refused, ago(600)), State::NeedsLogin, State::NeedsLogin),
            (exchange(ExchangeState::Unknown, ago(600)), State::NeedsLogin, State::NeedsLogin),
        ] {
            assert_eq!(of(&stored(None), exchange.as_ref(), now), while_it_lasts, "{exchange:?}");
            assert_eq!(of(&stored(Some(ago(-1))), exchange.as_ref(), now), while_it_lasts, "{exchange:?}");
            assert_eq!(of(&stored(Some(now)), exchange.as_ref(), now), afterwards, "{exchange:?}");
        }
    }
}
