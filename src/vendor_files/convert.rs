//! The named conversions of a capture map, between a vendor's values and ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Number, Value};
use zeroize::Zeroizing;

use super::document::View;
use crate::provider::capture_map::{Convert, look_up};

/// Reads an expiry. `None` (unknown) for a value that is not a time, is out of range, or is not after 1970: vendors
/// write 0 for "never", and a login with an odd expiry still counts.
pub(super) fn time_from(value: &Value, convert: Convert) -> Option<Timestamp> {
    let time = match convert {
        Convert::UnixSeconds => Timestamp::from_second(whole(value)?).ok()?,
        Convert::UnixMillis => Timestamp::from_millisecond(whole(value)?).ok()?,
        Convert::Rfc3339 => value.as_str()?.trim().parse().ok()?,
        Convert::JwtExp => {
            let payload = jwt_payload(value.as_str()?)?;
            Timestamp::from_second(whole(payload.get("exp")?)?).ok()?
        }
        _ => return None,
    };
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// Converts a time to the vendor's form: a string if the existing value is one, else a number or RFC 3339.
pub(super) fn time_to(time: Timestamp, convert: Convert, existing: Option<&Value>) -> Value {
    let number = match convert {
        Convert::UnixSeconds => time.as_second(),
        Convert::UnixMillis => time.as_millisecond(),
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
