//! The named conversions of a capture map, between a vendor's values and ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Number, Value};
use zeroize::Zeroizing;

use super::document::View;
use crate::provider::capture_map::{Convert, look_up};

/// Numbers from here on are milliseconds: as seconds they would be in the year 5138.
const FIRST_MILLIS: i64 = 100_000_000_000;
/// Numbers from here on, up to [`FIRST_MILLIS`], are seconds: as milliseconds they would be in January 1970.
const FIRST_SECONDS: i64 = 1_000_000_000;

/// Reads an expiry in any of the forms that vendors write. `None` for an unknown one: vendors write 0 or nothing, and a
/// token may be no JWT.
///
/// # Errors
/// The value is no time after 1970.
pub(super) fn time_from(value: &Value, convert: Convert) -> Result<Option<Timestamp>, ()> {
    let payload = (convert == Convert::JwtExp).then(|| value.as_str().and_then(jwt_payload));
    let value = match &payload {
        Some(payload) => payload.as_ref().and_then(|payload| payload.get("exp")).unwrap_or(&Value::Null),
        None => value,
    };
    match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        _ => {}
    }
    let time = match whole(value) {
        Some(0) => return Ok(None),
        Some(number @ FIRST_MILLIS..) => Timestamp::from_millisecond(number).ok(),
        Some(number @ ..FIRST_SECONDS) if convert == Convert::UnixMillis => {
            Timestamp::from_millisecond(number).ok()
        }
        Some(number) => Timestamp::from_second(number).ok(),
        None => value.as_str().and_then(|text| text.trim().parse().ok()),
    };
    time.filter(|time| *time > Timestamp::UNIX_EPOCH).map(Some).ok_or(())
}

/// Converts a time to the vendor's form: a string if the existing value is one, else a number or RFC 3339.
pub(super) fn time_to(time: Timestamp, convert: Convert, existing: Option<&Value>) -> Value {
    let number = match convert {
        Convert::UnixSeconds if time.as_second() < FIRST_MILLIS => time.as_second(),
        // So many seconds would be read as milliseconds.
        Convert::UnixSeconds | Convert::UnixMillis => time.as_millisecond(),
        _ => return time.to_string().into(),
    };
    match existing {
        Some(Value::String(_)) => number.to_string().into(),
        _ => number.into(),
    }
}

/// Reads an integer from a number or a numeric string, and drops any fraction.
fn whole(value: &Value) -> Option<i64> {
    let from_float = |number: f64| (number.abs() < 9e18).then_some(number as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(from_float)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(from_float))
        }
        _ => None,
    }
}

/// Reads scopes from a list of strings, or from one string separated by spaces.
pub(super) fn scopes_from(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Converts scopes to the vendor's form.
pub(super) fn scopes_to(scopes: &[String], convert: Option<Convert>) -> Value {
    match convert {
        Some(Convert::SpaceSeparated) => scopes.join(" ").into(),
        _ => scopes.to_vec().into(),
    }
}

/// Reads a label from a non-empty string or a number.
pub(super) fn label_from(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(Number::to_string(number)),
        _ => None,
    }
}

/// Reads a claim of a JWT. The signature is not verified, because claims only label a credential.
pub(super) fn jwt_claim(value: &Value, claim: &[String]) -> Option<Value> {
    look_up(&*jwt_payload(value.as_str()?)?, claim).cloned()
}

fn jwt_payload(token: &str) -> Option<View> {
    let mut parts = token.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok().map(Zeroizing::new)?;
    serde_json::from_slice(&payload).ok().map(View)
}
