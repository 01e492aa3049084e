//! The expiry of a key or token.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil::Date, tz::TimeZone};

/// Parses a lifetime from now on (`90d`, `12h`, `1w 2d`) into the time of expiry. A day has 24 hours.
///
/// # Errors
/// The form to write instead.
pub fn expires_in(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write a number with a unit, for example 12h or 90d".to_owned();
    let lifetime = lasts(text).map_err(|is_range| if is_range { too_far() } else { wrong() })?;
    future(crate::clock::now().checked_add(lifetime).map_err(|_| too_far())?)
}

/// Parses a duration: `90s`, `12h`, `1w 2d`. A day has 24 hours; months and years are refused, as their length varies.
///
/// # Errors
/// Whether it is a duration, but longer than can be counted.
pub fn lasts(text: &str) -> Result<SignedDuration, bool> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.is_range())?;
    let fixed = span.get_years() == 0 && span.get_months() == 0;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok().filter(|_| fixed).ok_or(false)
}

/// Parses a time of expiry: RFC 3339, or a date, which means its first moment in UTC.
///
/// # Errors
/// The form to write instead.
pub fn expires_at(text: &str) -> Result<Timestamp, String> {
    // `Date` would also accept a time without a zone.
    if let Ok(time) = text.parse() {
        return future(time);
    }
    let wrong = "write a date or a time with its zone, for example 2030-01-31 or 2030-01-31T12:00:00Z";
    let date: Date = text.parse().ok().filter(|_| text.len() == "2030-01-31".len()).ok_or(wrong)?;
    future(date.to_zoned(TimeZone::UTC).map_err(|_| too_far())?.timestamp())
}

fn too_far() -> String {
    "that is later than can be stored: the last day is 9999-12-30".to_owned()
}

fn future(at: Timestamp) -> Result<Timestamp, String> {
    if at.duration_since(crate::clock::now()) <= SignedDuration::from_secs(1) {
        return Err("that is not in the future".to_owned());
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_in_each_form_is_parsed() {
        let days = |text| expires_in(text).expect(text).duration_since(crate::clock::now()).as_hours();
        assert_eq!([days("90d"), days("36h"), days("1w 1d")], [90 * 24 - 1, 35, 8 * 24 - 1]);
        let at = |text| expires_at(text).expect(text).to_string();
        assert_eq!(at("2130-01-31"), "2130-01-31T00:00:00Z");
        assert_eq!(at("2130-01-31T12:00:00+02:00"), "2130-01-31T10:00:00Z");
    }

    #[test]
    fn invalid_or_past_expiry_is_refused() {
        for bad in ["", "90", "1mo", "1y", "-1h", "0s", "99999999999999d", "soon"] {
            assert!(expires_in(bad).is_err(), "{bad}");
        }
        for far in [expires_in("99999999d"), expires_in("7000000d"), expires_at("9999-12-31")] {
            assert_eq!(far, Err(too_far()));
        }
        for bad in ["", "2020-01-01", "2130-13-01", "2130-01-31T12:00:00", "1700000000"] {
            assert!(expires_at(bad).is_err(), "{bad}");
        }
    }
}
