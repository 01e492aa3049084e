//! The address on this machine to which a login sends the browser back.

use url::Url;

use super::constant_time_eq;

/// The redirect that a login waits for (RFC 6749 section 4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedCallback {
    redirect: Url,
    state: Option<String>,
}

impl ExpectedCallback {
    /// Makes the expectation of a login that this program started. Without a `state`, the state is part of the path.
    pub fn new(redirect: Url, state: Option<String>) -> Self {
        Self { redirect, state }
    }

    /// Returns the state, unless it is part of the path.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Returns the redirect's address.
    pub fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// Reads the `redirect_uri` and `state` of a login URL. Vendors that name it differently have another parameter with
    /// such a URL. `None` if it does not lead back to the loopback.
    pub fn of(login_url: &str) -> Option<Self> {
        let url = Url::parse(login_url).ok()?;
        let (mut named, others): (Vec<_>, Vec<_>) =
            url.query_pairs().partition(|(name, _)| name == "redirect_uri");
        if named.is_empty() {
            named = others;
        }
        let mut urls = named.iter().filter_map(|(_, value)| Url::parse(value).ok());
        let redirect = urls.find(is_loopback)?;
        Some(Self { redirect, state: parameter(&url, "state") })
    }

    /// Returns the redirect's host, as it is written in a URL.
    pub fn host(&self) -> &str {
        self.redirect.host_str().unwrap_or_default()
    }

    /// Returns the redirect's port.
    pub fn port(&self) -> u16 {
        self.redirect.port_or_known_default().unwrap_or(80)
    }

    /// Checks a pasted redirect, the whole URL or its query, and returns its path and query.
    ///
    /// # Errors
    /// The reason why it is not this login's redirect, without repeating it.
    pub fn check(&self, pasted: &str) -> Result<String, &'static str> {
        let pasted = pasted.trim();
        let url = match pasted.strip_prefix('?') {
            Some(query) => {
                let mut url = self.redirect.clone();
                url.set_query(Some(query));
                url
            }
            None => Url::parse(pasted).map_err(|_| "that is not a URL")?,
        };
        if !is_loopback(&url) || url.port_or_known_default() != self.redirect.port_or_known_default() {
            return Err("that is not the address that this login comes back to");
        }
        if !constant_time_eq(self.redirect.path(), url.path()) {
            return Err("that is not the page that this login comes back to");
        }
        let state = parameter(&url, "state").unwrap_or_default();
        if self.state.as_ref().is_some_and(|expected| !constant_time_eq(expected, &state)) {
            return Err(
                "its state is not the one that this login was started with: it belongs to another login",
            );
        }
        if parameter(&url, "code").is_none() && parameter(&url, "error").is_none() {
            return Err("there is no code in it");
        }
        Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
    }
}

/// Returns whether a typed line is meant as a redirect, correct or not, rather than as input for a CLI.
pub fn looks_like_redirect(line: &str) -> bool {
    line.starts_with('?') || ["://", "code=", "state="].iter().any(|part| line.contains(part))
}

/// Returns whether a browser would send this URL to the addresses where this program and CLIs listen. Other loopback
/// addresses do not count.
fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "https://a.example/oauth/authorize?client_id=x&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&state=s1";

    #[test]
    fn check_accepts_this_logins_redirect_only() {
        let expected = ExpectedCallback::of(LOGIN).expect("comes back to the loopback");
        assert_eq!(expected.port(), 1455);
        for good in [
            "http://localhost:1455/auth/callback?code=c&state=s1",
            " http://127.0.0.1:1455/auth/callback?state=s1&code=c\n",
            "?code=c&state=s1",
        ] {
            assert!(expected.check(good).is_ok_and(|target| target.starts_with("/auth/callback?")), "{good}");
        }
        for bad in [
            "http://localhost:1455/auth/callback?code=c&state=other",
            "http://localhost:1455/auth/callback?code=c",
            "http://localhost:1456/auth/callback?code=c&state=s1",
            "http://evil.example:1455/auth/callback?code=c&state=s1",
            "http://localhost:1455/shutdown?code=c&state=s1",
            "http://localhost:1455/auth/callback?state=s1",
            "",
            "nonsense",
        ] {
            assert!(expected.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn check_of_a_redirect_with_line_breaks_returns_none_of_them() {
        let expected = ExpectedCallback::of(LOGIN).expect("comes back to the loopback");
        let target =
            expected.check("http://localhost:1455/auth/callback?code=c d\r\nX: y&state=s1").expect("ok");
        assert!(!target.contains(['\r', '\n', ' ']), "{target}");
    }

    #[test]
    fn of_reads_where_a_login_comes_back_to() {
        let of = |query: &str| {
            ExpectedCallback::of(&format!("https://a.example/login?{query}"))
                .map(|expected| (expected.host().to_owned(), expected.port()))
        };
        let localhost = |port| Some(("localhost".to_owned(), port));
        assert_eq!(of("redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A40123%2Fcb"), Some(("[::1]".into(), 40123)));
        assert_eq!(of("x=y&callback_url=http://localhost:40123/cb"), localhost(40123));
        assert_eq!(of("next=http://localhost:1/&redirect_uri=http://localhost:40123"), localhost(40123));
        for elsewhere in [
            "",
            "redirect_uri=https%3A%2F%2Fb.example%2Fcb",
            "redirect_uri=https://b.example&next=http://localhost:1/",
            "redirect_uri=http://localhost.b.example:1/",
            "port=40123",
        ] {
            assert_eq!(of(elsewhere), None, "{elsewhere}");
        }
    }
}
