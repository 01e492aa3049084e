//! Error responses of a server (RFC 6749 section 5.2), also as vendors vary them, fit to be shown.

use serde_json::Value;

use super::{OAuthError, echo::SentValues};

const MAX_DESCRIPTION: usize = 200;
const MAX_CODE: usize = 64;

/// An error response: both texts are printable, short, and repeat nothing of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    pub code: String,
    pub description: Option<String>,
}

impl ErrorResponse {
    pub(super) fn new(code: &str, description: Option<&str>, sent: &SentValues) -> Self {
        let description = description.map(|text| sent.redact(text, MAX_DESCRIPTION));
        Self { code: sent.redact(code, MAX_CODE), description: description.filter(|text| !text.is_empty()) }
    }

    /// Whether a device grant goes on (RFC 8628 section 3.5).
    pub(super) fn asks_to_poll_again(&self) -> bool {
        matches!(self.code.as_str(), "slow_down" | "authorization_pending")
    }
}

impl From<ErrorResponse> for OAuthError {
    fn from(ErrorResponse { code, description }: ErrorResponse) -> Self {
        Self::Refused { code, description }
    }
}

/// Reads an error response: `{"error": "code", "error_description": ".."}`, or
/// `{"error": {"code": "..", "message": ".."}}`, which some vendors send.
pub(super) fn read(json: &Value, sent: &SentValues) -> Option<ErrorResponse> {
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
    Some(ErrorResponse::new(&code?, description.as_deref(), sent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn error_response_of_either_form_is_read() {
        let standard = json!({"error": "invalid_grant", "error_description": "it is used up"});
        let vendor = json!({"error": {"code": "invalid_grant", "message": "it is used up", "type": "x"}});
        for json in [standard, vendor] {
            let error = read(&json, &SentValues::default()).expect("an error response");
            assert_eq!(
                (error.code.as_str(), error.description.as_deref()),
                ("invalid_grant", Some("it is used up"))
            );
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
            assert_eq!(read(&other, &SentValues::default()), None, "{other}");
        }
    }

    #[test]
    fn code_and_description_repeat_nothing_that_was_sent() {
        let sent = [Zeroizing::new("CANARY/0123456789+abcdef".to_owned())].into_iter().collect();
        let echo = "CANARY/0123456789+abcdef";
        let error =
            read(&json!({"error": echo, "error_description": echo}), &sent).expect("an error response");
        assert_eq!((error.code.as_str(), error.description.as_deref()), ("[..]", Some("[..]")));
    }

    #[test]
    fn description_is_cut_to_its_limit() {
        let json = json!({"error": "e", "error_description": "x".repeat(100_000)});
        let error = read(&json, &SentValues::default()).expect("an error response");
        assert_eq!(error.description.map(|text| text.chars().count()), Some(MAX_DESCRIPTION));
    }
}
