//! The time of the system's clock.

use std::time::SystemTime;

use jiff::Timestamp;

/// The last time that can be written and read in each form.
const LAST: Timestamp = Timestamp::constant(253_402_207_199, 0);

/// Returns the time, or the last one that there is a date for, where the clock is beyond it. `Timestamp::now` would panic.
pub fn now() -> Timestamp {
    at(SystemTime::now())
}

fn at(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(match time < SystemTime::UNIX_EPOCH {
        true => Timestamp::MIN,
        false => LAST,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn clock_beyond_the_last_date_shows_the_last_date() {
        let years = |count: u64| Duration::from_secs(count * 365 * 24 * 3600);
        assert_eq!(at(SystemTime::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        let last = at(SystemTime::UNIX_EPOCH + years(9_000));
        assert_eq!(Timestamp::from_millisecond(last.as_millisecond()).ok(), Some(last));
        assert_eq!(at(SystemTime::UNIX_EPOCH - years(15_000)), Timestamp::MIN);
    }
}
