//! When a credential is due for a refresh.

use jiff::{SignedDuration, Timestamp};

use crate::credential::Record;

/// The time before its end at which a credential is due: 5 minutes, or a tenth of its lifetime if that is less.
pub fn refresh_margin(updated_at: Timestamp, expires_at: Timestamp) -> SignedDuration {
    let lifetime = expires_at.duration_since(updated_at).max(SignedDuration::ZERO);
    (lifetime / 10).min(SignedDuration::from_mins(5))
}

/// Whether a credential has expired or is within its margin.
pub(crate) fn is_due(record: &Record, now: Timestamp) -> bool {
    let end = record.metadata.expires_at;
    end.is_some_and(|end| end.duration_since(now) <= refresh_margin(record.updated_at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margin_is_five_minutes_or_a_tenth_of_the_lifetime() {
        let margin = |lifetime| {
            let now = crate::clock::now();
            refresh_margin(now, now + SignedDuration::from_secs(lifetime)).as_secs()
        };
        assert_eq!([margin(86_400), margin(3_000), margin(600), margin(-5)], [300, 300, 60, 0]);
    }
}
