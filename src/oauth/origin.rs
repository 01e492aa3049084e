//! Where an OAuth login came from, kept beside its tokens: a refresh token goes back to the server that gave it, and to no
//! other, whatever a descriptor says by then.

use std::collections::BTreeMap;

use super::{ClientAuth, Endpoint, OAuthError, Server, TokenEndpoint, server::read};
use crate::{
    credential::{LOGIN, OAuth, Secret},
    provider::{
        descriptor::{Body, Mode},
        flow::Flow,
    },
};

/// Where a native login came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The mode.
    pub mode: Mode,
    /// Its token endpoint.
    pub token_url: Endpoint,
    /// The client that logged in.
    pub client_id: String,
    /// Where the client's secret is: a reference, never the secret.
    pub client_secret: Option<String>,
    /// How it is sent.
    pub client_auth: ClientAuth,
    /// Form of a token request.
    pub body: Body,
    /// Where the tokens are revoked, where the server says so.
    pub revocation_url: Option<Endpoint>,
}

impl Origin {
    /// Of a login that is being made.
    pub fn new(mode: Mode, flow: &Flow, server: &Server) -> Self {
        Self {
            mode,
            token_url: server.token.url.clone(),
            client_id: server.token.client_id.clone(),
            client_secret: flow.client_secret.clone(),
            client_auth: server.token.client_auth,
            body: server.token.body,
            revocation_url: server.revocation.clone(),
        }
    }

    /// Of a stored credential; `None` for one that came in another way, such as from a vendor's files.
    pub fn of(oauth: &OAuth) -> Option<Self> {
        let text = |name: &str| oauth.extra.get(&format!("{LOGIN}{name}")).map(Secret::expose);
        Some(Self {
            mode: Mode::OAUTH_FLOWS.into_iter().find(|mode| text("mode") == Some(mode.as_str()))?,
            token_url: text("token_url")?.parse().ok()?,
            client_id: text("client_id").unwrap_or_default().to_owned(),
            client_secret: text("client_secret").map(str::to_owned),
            client_auth: if text("client_auth") == Some("body") {
                ClientAuth::Body
            } else {
                ClientAuth::Basic
            },
            body: if text("body") == Some("json") { Body::Json } else { Body::Form },
            revocation_url: text("revocation_url").and_then(|url| url.parse().ok()),
        })
    }

    /// Puts it beside the tokens. What the server itself sent under such a name goes.
    pub fn keep(&self, extra: &mut BTreeMap<String, Secret>) {
        extra.retain(|name, _| !name.starts_with(LOGIN));
        let auth = (self.client_auth == ClientAuth::Body).then_some("body");
        let body = (self.body == Body::Json).then_some("json");
        let revocation = self.revocation_url.as_ref().map(ToString::to_string);
        let values = [
            ("mode", Some(self.mode.as_str())),
            ("token_url", Some(self.token_url.url().as_str())),
            ("client_id", Some(self.client_id.as_str()).filter(|id| !id.is_empty())),
            ("client_secret", self.client_secret.as_deref()),
            ("client_auth", auth),
            ("body", body),
            ("revocation_url", revocation.as_deref()),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
        extra.extend(values.map(|(name, value)| (format!("{LOGIN}{name}"), Secret::from(value))));
    }

    /// The token endpoint, with the client's secret read from where it is.
    ///
    /// # Errors
    /// [`OAuthError::Reference`] when the secret is not there.
    pub fn endpoint(&self) -> Result<TokenEndpoint, OAuthError> {
        let field = format!("{}.client_secret", self.mode);
        let secret = self.client_secret.as_deref().map(|place| read(place, &field)).transpose()?;
        Ok(TokenEndpoint {
            url: self.token_url.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret,
            client_auth: self.client_auth,
            body: self.body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            mode: Mode::Device,
            token_url: "https://id.example/token".parse().expect("an endpoint"),
            client_id: "demo".into(),
            client_secret: Some("env:DEMO_SECRET".into()),
            client_auth: ClientAuth::Body,
            body: Body::Json,
            revocation_url: Some("https://id.example/revoke".parse().expect("an endpoint")),
        }
    }

    fn oauth(extra: BTreeMap<String, Secret>) -> OAuth {
        OAuth { access_token: "a".into(), refresh_token: None, id_token: None, extra }
    }

    #[test]
    fn it_is_read_as_it_was_kept() {
        let plain = Origin {
            client_id: String::new(),
            client_secret: None,
            client_auth: ClientAuth::Basic,
            body: Body::Form,
            revocation_url: None,
            ..origin()
        };
        for origin in [origin(), plain] {
            let mut extra = BTreeMap::from([("account_id".to_owned(), Secret::from("x"))]);
            origin.keep(&mut extra);
            assert!(extra.contains_key("account_id"));
            assert_eq!(Origin::of(&oauth(extra)), Some(origin));
        }
    }

    #[test]
    fn a_server_cannot_send_the_next_request_elsewhere() {
        let mut extra =
            BTreeMap::from([("login.revocation_url".to_owned(), Secret::from("https://evil.example/"))]);
        Origin { revocation_url: None, ..origin() }.keep(&mut extra);
        assert_eq!(Origin::of(&oauth(extra)).expect("an origin").revocation_url, None);
    }

    #[test]
    fn a_credential_from_elsewhere_has_none() {
        assert_eq!(Origin::of(&oauth(BTreeMap::new())), None);
    }
}
