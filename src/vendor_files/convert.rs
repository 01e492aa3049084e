//! The named conversions between a vendor's values and ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Number, Value};
use zeroize::Zeroizing;

use super::{document::View, pointer::look_up};
use crate::provider::capture_map::Convert;

/// The time that a value stands for. What is no time, cannot be one of ours, or is not after 1970 (vendors write 0
/// for "never") is `None`: the expiry is then unknown, which is no reason to refuse a login.
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

/// The vendor's value for a time, as a text where the file has one there already.
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

/// The whole part of a number, or of a number written as text.
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

/// The scopes in a list of texts, or in one text with spaces.
pub(super) fn scopes_from(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The vendor's value for scopes.
pub(super) fn scopes_to(scopes: &[String], convert: Option<Convert>) -> Value {
    match convert {
        Some(Convert::SpaceSeparated) => scopes.join(" ").into(),
        _ => scopes.to_vec().into(),
    }
}

/// A value that is a label: a text, or a number as one.
pub(super) fn label_from(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(Number::to_string(number)),
        _ => None,
    }
}

/// A claim of a JWT. Its signature is not looked at: the claim labels a credential, it opens nothing.
pub(super) fn jwt_claim(value: &Value, claim: &[String]) -> Option<Value> {
    look_up(&*jwt_payload(value.as_str()?)?, claim).cloned()
}

fn jwt_payload(token: &str) -> Option<View> {
    let mut parts = token.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok().map(Zeroizing::new)?;
    serde_json::from_slice(&payload).ok().map(View::of)
}
