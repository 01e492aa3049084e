//! The parameters that a login was requested with, and that its renewal repeats.

use std::collections::BTreeMap;

use crate::provider::{descriptor::Mode, flow::Flow};

/// Scopes that are no right of an access token: they ask for an identity token and for a refresh token (OpenID Connect Core
/// sections 3.1.2.1 and 11). Servers need not name them among the granted ones.
const NO_RIGHTS: [&str; 2] = ["openid", "offline_access"];

/// Parameters of the first request that the token request repeats: they say for whom the token is (RFC 8707 section 2.2).
const REPEATED: [&str; 2] = ["audience", "resource"];

/// Scopes and further parameters of a login. Vendors may refuse a renewal without them, or narrow the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginParameters {
    /// The scopes.
    pub scopes: Vec<String>,
    /// The further parameters.
    pub parameters: BTreeMap<String, String>,
}

impl LoginParameters {
    /// Returns the parameters that a flow requests its tokens with.
    pub fn of(flow: &Flow, mode: Mode) -> Self {
        let mut parameters = flow.parameters.clone();
        if matches!(mode, Mode::Device | Mode::Browser) {
            parameters.retain(|name, _| REPEATED.contains(&name.as_str()));
            parameters.extend(flow.token_parameters.clone());
        }
        Self { scopes: flow.scopes.clone(), parameters }
    }

    /// Returns the parameters for the renewal of a login that has these scopes: of the requested ones, only what was granted
    /// may be requested again (RFC 6749 section 6).
    pub fn renewal(mut self, granted: &[String]) -> Self {
        if !self.scopes.is_empty() && !granted.is_empty() {
            self.scopes.retain(|scope| !is_right(scope) && !granted.contains(scope));
            self.scopes.splice(0..0, granted.iter().cloned());
        }
        self
    }
}

/// Whether a scope is a right of the access token.
pub fn is_right(scope: &str) -> bool {
    !NO_RIGHTS.contains(&scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn renewal_repeats_what_says_for_whom_the_token_is() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let flow = Flow {
            scopes: texts(&["read"]),
            parameters: map(&[("prompt", "login"), ("audience", "api"), ("resource", "r")]),
            token_parameters: map(&[("organization", "o"), ("resource", "mine")]),
            ..Flow::default()
        };
        let of = |mode| LoginParameters::of(&flow, mode).parameters;
        let expected = map(&[("audience", "api"), ("organization", "o"), ("resource", "mine")]);
        assert_eq!(of(Mode::Browser), expected);
        assert_eq!(of(Mode::ClientCredentials), flow.parameters);
    }

    #[test]
    fn renewal_requests_the_granted_scopes_and_those_that_are_no_right() {
        for (requested, granted, expected) in [
            (vec!["openid", "a", "b", "offline_access"], vec!["a"], vec!["a", "openid", "offline_access"]),
            (vec!["a", "openid"], vec!["openid", "a", "email"], vec!["openid", "a", "email"]),
            (vec!["a", "b"], vec![], vec!["a", "b"]),
            (vec![], vec!["a"], vec![]),
        ] {
            let asked = LoginParameters { scopes: texts(&requested), ..LoginParameters::default() };
            assert_eq!(asked.renewal(&texts(&granted)).scopes, texts(&expected), "{requested:?}");
        }
    }
}
