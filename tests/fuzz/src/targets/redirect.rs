//! Redirects that the browser brings, or that somebody pastes.

use std::sync::LazyLock;

use authenticate::{
    login::{
        loopback::{ExpectedCallback, looks_like_redirect},
        oauth::redirect::{AuthorizationResponse, ExpectedRedirect},
    },
    oauth::OAuthError,
    redact::is_invisible,
};
use url::Url;

use crate::canary::CANARY;

const STATE: &str = "st4te-0123456789";
const ISSUER: &str = "https://id.example";

static REDIRECT: LazyLock<Url> =
    LazyLock::new(|| "http://127.0.0.1:4321/callback".parse().expect("a redirect"));

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expected = ExpectedCallback::new(REDIRECT.clone(), Some(STATE.to_owned()));
    let awaited = ExpectedRedirect::new(expected.clone(), Some(ISSUER.to_owned()));

    match awaited.parse_pasted(text) {
        Err(problem) => assert!(!problem.contains(CANARY)),
        Ok(AuthorizationResponse::Code(code)) => {
            let code = code.expose();
            assert!(!code.is_empty() && code.len() <= 8192);
            assert!(code.chars().all(|c| c.is_ascii_graphic()));
            // Only a code alone comes without a state.
            let trimmed = text.trim();
            let alone = |part: &str| !part.starts_with("code=") && !part.starts_with("error=");
            if code.len() < 6
                || trimmed.contains(['#', '\n'])
                || trimmed.contains("://")
                || !trimmed.split('&').all(alone)
            {
                assert!(decoded(text).contains(STATE), "{text}");
            }
        }
        Ok(AuthorizationResponse::Refused(error)) => {
            assert!(decoded(text).contains(STATE), "{text}");
            let OAuthError::Refused { code, description } = &error else { panic!("{error}") };
            assert!(code.chars().count() <= 64 && description.iter().all(|d| d.chars().count() <= 200));
            let said = error.to_string();
            assert!(!said.contains(|c: char| c.is_control() || is_invisible(c)), "{said:?}");
        }
    }
    if let Ok(target) = expected.check(text) {
        assert!(target.starts_with("/callback?"), "{target}");
        assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
        assert!(decoded(&target).contains(STATE), "{target}");
    }
    if let Ok(answer) = awaited.parse_redirect(text) {
        assert!(expected.check(text).is_ok(), "{answer:?}");
    }
    let _ = looks_like_redirect(text);
    if let Some(expected) = ExpectedCallback::of(text) {
        let host = expected.redirect().host_str();
        assert!(matches!(host, Some("localhost" | "127.0.0.1" | "[::1]")), "{host:?}");
        assert_eq!(expected.redirect().scheme(), "http");
        let _ = expected.port();
    }
}

/// Percent-encoding undone, and what URLs leave out.
fn decoded(text: &str) -> String {
    let text: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    // A query that was pasted may have a `#` in it, which begins nothing.
    let url = Url::parse(&format!("http://x/?{}", text.replace('#', "%23"))).expect("a URL");
    let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}&"));
    pairs.chain([text]).collect()
}
