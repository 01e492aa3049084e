//! The authorization response, as a redirect of the browser or pasted.

use url::Url;

use crate::{
    credential::Secret,
    login::loopback::{ExpectedCallback, constant_time_eq},
    oauth::OAuthError,
};

/// Longer than any authorization code.
const MAX_CODE: usize = 8192;
/// A code without a state is believed from this length on: anything shorter is a typing error.
const MIN_BARE_CODE: usize = 6;

/// An authorization response (RFC 6749 section 4.1.2).
#[derive(Debug)]
pub enum AuthorizationResponse {
    /// An authorization code.
    Code(Secret),
    /// An error response.
    Refused(OAuthError),
}

/// The redirect URI, state and issuer that a response must match.
#[derive(Clone, Debug)]
pub struct ExpectedRedirect {
    expected: ExpectedCallback,
    issuer: Option<String>,
}

impl ExpectedRedirect {
    /// Expects a response to this login, from `issuer` where that is known.
    pub fn new(expected: ExpectedCallback, issuer: Option<String>) -> Self {
        Self { expected, issuer }
    }

    /// Returns the redirect's port.
    pub fn port(&self) -> u16 {
        self.expected.port()
    }

    /// Returns the redirect URI.
    pub fn redirect_uri(&self) -> &Url {
        self.expected.redirect()
    }

    /// Reads a redirect: a URL, or its query with a leading `?`.
    ///
    /// # Errors
    /// The problem, without quoting the text.
    pub fn parse_redirect(&self, text: &str) -> Result<AuthorizationResponse, &'static str> {
        let target = self.expected.check(text)?;
        let url = self.redirect_uri().join(&target).map_err(|_| "that is not a URL")?;
        let query = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        // RFC 9207: no other server may respond in this one's place.
        if let (Some(issuer), Some(from)) = (&self.issuer, query("iss"))
            && *issuer != from
        {
            return Err("it is the response of another issuer");
        }
        if let Some(code) = query("error") {
            return Ok(AuthorizationResponse::Refused(OAuthError::refused(
                &code,
                query("error_description").as_deref(),
            )));
        }
        code(&query("code").unwrap_or_default()).map(AuthorizationResponse::Code)
    }

    /// Reads pasted text: the whole URL, its query, `CODE#STATE`, or a code alone.
    ///
    /// # Errors
    /// The problem, without quoting the text.
    pub fn parse_pasted(&self, text: &str) -> Result<AuthorizationResponse, &'static str> {
        let text = text.trim();
        if text.contains("://") || text.starts_with('?') {
            return self.parse_redirect(text);
        }
        if text.split('&').any(|part| part.starts_with("code=") || part.starts_with("error=")) {
            return self.parse_redirect(&format!("?{text}"));
        }
        let (text, has_state) = match (text.split_once('#'), self.expected.state()) {
            (Some((_, given)), Some(state)) if !constant_time_eq(state, given) => {
                return Err("its state does not match: it belongs to another login");
            }
            (Some((text, _)), state) => (text, state.is_some()),
            (None, _) => (text, false),
        };
        if !text.is_empty() && text.len() < MIN_BARE_CODE && !has_state {
            return Err("that is not a code");
        }
        code(text).map(AuthorizationResponse::Code)
    }
}

fn code(text: &str) -> Result<Secret, &'static str> {
    match text {
        "" => Err("there is no code in it"),
        text if text.len() <= MAX_CODE && text.chars().all(|c| c.is_ascii_graphic()) => {
            Ok(Secret::from(text))
        }
        _ => Err("that is not a code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> ExpectedRedirect {
        let redirect = "http://127.0.0.1:4321/callback".parse().expect("a URL");
        ExpectedRedirect::new(
            ExpectedCallback::new(redirect, Some("s1".into())),
            Some("https://id.example".into()),
        )
    }

    fn code_of(response: Result<AuthorizationResponse, &'static str>) -> Result<String, String> {
        match response {
            Ok(AuthorizationResponse::Code(code)) => Ok(code.expose().to_owned()),
            Ok(AuthorizationResponse::Refused(error)) => Err(error.to_string()),
            Err(problem) => Err(problem.to_owned()),
        }
    }

    #[test]
    fn pasted_code_in_every_form_of_browsers_and_pages_is_read() {
        for text in [
            "http://127.0.0.1:4321/callback?code=abcdef&state=s1",
            "  http://localhost:4321/callback?state=s1&code=abcdef&iss=https%3A%2F%2Fid.example \r\n",
            "?code=abcdef&state=s1",
            "code=abcdef&state=s1",
            "abcdef#s1",
            "abcdef",
        ] {
            assert_eq!(code_of(expected().parse_pasted(text)).as_deref(), Ok("abcdef"), "{text}");
        }
    }

    #[test]
    fn pasted_response_of_another_login_is_refused() {
        for text in [
            "http://127.0.0.1:4321/callback?code=abcdef&state=s2",
            "http://127.0.0.1:4321/callback?code=abcdef",
            "http://127.0.0.1:4321/other?code=abcdef&state=s1",
            "http://127.0.0.1:4322/callback?code=abcdef&state=s1",
            "http://evil.example:4321/callback?code=abcdef&state=s1",
            "http://127.0.0.1:4321/callback?code=abcdef&state=s1&iss=https%3A%2F%2Fevil.example",
            "http://127.0.0.1:4321/callback?error=access_denied&state=s2",
            "http://127.0.0.1:4321/callback?error=access_denied",
            "code=abcdef&state=s2",
            "abcdef#s2",
            "abcdef#",
            "ab cdef",
            "y",
            "",
            "http://127.0.0.1:4321/callback?state=s1",
            "http://127.0.0.1:4321/callback?state=s1&code=",
        ] {
            assert!(expected().parse_pasted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn error_response_with_this_logins_state_is_read() {
        let text = "?error=access_denied&error_description=no%1b%5b31m&state=s1";
        assert_eq!(code_of(expected().parse_pasted(text)), Err("refused: access_denied: no[31m".into()));
    }

    #[test]
    fn state_in_the_path_is_compared() {
        let redirect = "http://localhost:3000/callback/s1".parse().expect("a URL");
        let expected = ExpectedRedirect::new(ExpectedCallback::new(redirect, None), None);
        assert_eq!(
            code_of(expected.parse_pasted("http://localhost:3000/callback/s1?code=abcdef")),
            Ok("abcdef".into())
        );
        assert!(expected.parse_pasted("http://localhost:3000/callback/s2?code=abcdef").is_err());
        assert!(expected.parse_pasted("http://localhost:3000/callback/?code=abcdef").is_err());
    }
}
