//! Error responses of a server (RFC 6749 section 5.2), also as vendors vary them, fit to be shown.

use serde_json::Value;

use zeroize::Zeroizing;

use super::{OAuthError, echo::redact};

const MAX_DESCRIPTION: usize = 200;
const MAX_CODE: usize = 64;

/// Makes the error of an error response. Both texts become printable and short, and repeat nothing that was sent.
pub(super) fn refused(code: &str, description: Option<&str>, sent: &[Zeroizing<String>]) -> OAuthError {
    let description = description.map(|text| redact(text, MAX_DESCRIPTION, sent));
    OAuthError::Refused {
        code: redact(code, MAX_CODE, sent),
        description: description.filter(|text| !text.is_empty()),
    }
}

/// Reads an error response: `{"error": "code", "error_description": ".."}`, or
/// `{"error": {"code": "..", "message": ".."}}`, which some vendors send.
pub(super) fn read(json: &Value, sent: &[Zeroizing<String>]) -> Option<OAuthError> {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (code, description) = match json.get("error")? {
        Value::Object(error) => (
            text(error.get("code")).or_else(|| text(error.get("type"))).or_else(|| text(error.get("status"))),
            text(error.get("message")),
        ),
        error => (
            // Some vendors send `"error": 0` with a success.
            text(Some(error)).filter(|code| code != "0"),
            text(json.get("error_description")).or_else(|| text(json.get("message"))),
        ),
    };
    Some(refused(&code?, description.as_deref(), sent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(json: &Value, sent: &[Zeroizing<String>]) -> Option<(String, Option<String>)> {
        read(json, sent).map(|error| match error {
            OAuthError::Refused { code, description } => (code, description),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn error_response_of_either_form_is_read() {
        let standard = json!({"error": "invalid_grant", "error_description": "it is used up"});
        let vendor = json!({"error": {"code": "invalid_grant", "message": "it is used up", "type": "x"}});
        for json in [standard, vendor] {
            assert_eq!(texts(&json, &[]), Some(("invalid_grant".into(), Some("it is used up".into()))));
        }
    }

    #[test]
    fn json_without_an_error_is_no_error_response() {
        for other in [
            json!({}),
            json!({"error": null}),
            json!({"error": {}}),
            json!([1]),
            json!({"error": ""}),
            json!({"error": 0}),
        ] {
            assert_eq!(texts(&other, &[]), None, "{other}");
        }
    }

    #[test]
    fn code_and_description_repeat_nothing_that_was_sent() {
        let echo = "CANARY/0123456789+abcdef";
        let sent = [Zeroizing::new(echo.to_owned())];
        let json = json!({"error": echo, "error_description": echo});
        assert_eq!(texts(&json, &sent), Some(("[..]".into(), Some("[..]".into()))));
    }

    #[test]
    fn description_is_cut_to_its_limit() {
        let json = json!({"error": "e", "error_description": "x".repeat(100_000)});
        let (_, description) = texts(&json, &[]).expect("an error response");
        assert_eq!(description.map(|text| text.chars().count()), Some(MAX_DESCRIPTION));
    }
}
