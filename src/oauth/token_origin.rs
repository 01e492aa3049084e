//! The token endpoint that issued a login's tokens, stored with them: a refresh token goes back to its own server and to
//! no other, whatever the descriptor says by then.

use std::collections::BTreeMap;

use super::{
    AuthorizationServer, ClientAuth, Endpoint, LoginParameters, OAuthError, TokenEndpoint,
    server::read_secret,
};
use crate::{
    credential::{LOGIN, OAuth, Secret},
    provider::{
        descriptor::{Body, Mode},
        flow::Flow,
    },
};

/// The server and client of an OAuth login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrigin {
    /// The mode of the login.
    pub mode: Mode,
    /// The token endpoint.
    pub token_url: Endpoint,
    /// The client that logged in.
    pub client_id: String,
    /// A reference to the client secret, never the secret itself.
    pub client_secret: Option<String>,
    /// The client authentication method.
    pub client_auth: ClientAuth,
    /// The encoding of token requests.
    pub body: Body,
    /// The revocation endpoint, if the server publishes one or the descriptor named one at the login.
    pub revocation_url: Option<Endpoint>,
    /// The parameters of the login; `None` for a login that an older version made.
    pub parameters: Option<LoginParameters>,
    /// Whether the server named the granted scopes. The known ones are otherwise those that were requested.
    pub are_scopes_named: bool,
}

/// The prefix of the members that hold the parameters.
const PARAMETER: &str = "parameter:";

impl TokenOrigin {
    /// Describes a login in progress. Tokens are also revoked where its server or the descriptor says now, and not where
    /// another version of the descriptor says later.
    pub fn new(
        mode: Mode,
        flow: &Flow,
        server: &AuthorizationServer,
        described_revocation: Option<Endpoint>,
    ) -> Self {
        Self {
            mode,
            token_url: server.token.url.clone(),
            client_id: server.token.client_id.clone(),
            client_secret: flow.client_secret.clone(),
            client_auth: server.token.client_auth,
            body: server.token.body,
            revocation_url: described_revocation.or_else(|| server.revocation.clone()),
            parameters: Some(LoginParameters::of(flow, mode)),
            are_scopes_named: false,
        }
    }

    /// Reads the origin of a stored credential; `None` for one that no OAuth login of ours made, such as from a vendor's
    /// files.
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
            parameters: text("scope").map(|scope| LoginParameters {
                scopes: scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
                parameters: parameters(oauth),
            }),
            are_scopes_named: text("scopes_named").is_some(),
        })
    }

    /// Adds the origin to the members that are stored with the tokens, and drops what the server sent under such names.
    pub fn store_in(&self, extra: &mut BTreeMap<String, Secret>) {
        extra.retain(|name, _| !name.starts_with(LOGIN));
        let auth = (self.client_auth == ClientAuth::Body).then_some("body");
        let body = (self.body == Body::Json).then_some("json");
        let revocation = self.revocation_url.as_ref().map(ToString::to_string);
        let scope = self.parameters.as_ref().map(|known| known.scopes.join(" "));
        let values = [
            ("mode", Some(self.mode.as_str())),
            ("token_url", Some(self.token_url.url().as_str())),
            ("client_id", Some(self.client_id.as_str()).filter(|id| !id.is_empty())),
            ("client_secret", self.client_secret.as_deref()),
            ("client_auth", auth),
            ("body", body),
            ("revocation_url", revocation.as_deref()),
            // Also without scopes: the member says that the parameters are known.
            ("scope", scope.as_deref()),
            ("scopes_named", self.are_scopes_named.then_some("yes")),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let parameters = self.parameters.iter().flat_map(|known| &known.parameters);
        let parameters = parameters.map(|(name, value)| (format!("{PARAMETER}{name}"), value.as_str()));
        extra.extend(
            values.chain(parameters).map(|(name, value)| (format!("{LOGIN}{name}"), Secret::from(value))),
        );
    }

    /// Returns the token endpoint, with the client secret read from its reference.
    ///
    /// # Errors
    /// [`OAuthError::Reference`] when the secret cannot be read.
    pub fn endpoint(&self) -> Result<TokenEndpoint, OAuthError> {
        let field = format!("{}.client_secret", self.mode);
        let secret =
            self.client_secret.as_deref().map(|reference| read_secret(reference, &field)).transpose()?;
        Ok(TokenEndpoint {
            url: self.token_url.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret,
            client_auth: self.client_auth,
            body: self.body,
        })
    }
}

fn parameters(oauth: &OAuth) -> BTreeMap<String, String> {
    let prefix = format!("{LOGIN}{PARAMETER}");
    let parameter = |(name, value): (&String, &Secret)| {
        Some((name.strip_prefix(&prefix)?.to_owned(), value.expose().to_owned()))
    };
    oauth.extra.iter().filter_map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> TokenOrigin {
        TokenOrigin {
            mode: Mode::Device,
            token_url: "https://id.example/token".parse().expect("an endpoint"),
            client_id: "demo".into(),
            client_secret: Some("env:DEMO_SECRET".into()),
            client_auth: ClientAuth::Body,
            body: Body::Json,
            revocation_url: Some("https://id.example/revoke".parse().expect("an endpoint")),
            parameters: Some(LoginParameters {
                scopes: vec!["openid".into(), "api".into()],
                parameters: BTreeMap::from([("resource".into(), "https://api.example".into())]),
            }),
            are_scopes_named: true,
        }
    }

    fn oauth(extra: BTreeMap<String, Secret>) -> OAuth {
        OAuth { access_token: "a".into(), refresh_token: None, id_token: None, extra }
    }

    #[test]
    fn origin_that_was_stored_is_read_back() {
        let plain = TokenOrigin {
            client_id: String::new(),
            client_secret: None,
            client_auth: ClientAuth::Basic,
            body: Body::Form,
            revocation_url: None,
            parameters: Some(LoginParameters::default()),
            are_scopes_named: false,
            ..origin()
        };
        let old = TokenOrigin { parameters: None, ..plain.clone() };
        for origin in [origin(), plain, old] {
            let mut extra = BTreeMap::from([("account_id".to_owned(), Secret::from("x"))]);
            origin.store_in(&mut extra);
            assert!(extra.contains_key("account_id"));
            assert_eq!(TokenOrigin::of(&oauth(extra)), Some(origin));
        }
    }

    #[test]
    fn reply_with_an_origin_of_its_own_cannot_redirect_later_requests() {
        let mut extra =
            BTreeMap::from([("login.revocation_url".to_owned(), Secret::from("https://evil.example/"))]);
        TokenOrigin { revocation_url: None, ..origin() }.store_in(&mut extra);
        assert_eq!(TokenOrigin::of(&oauth(extra)).expect("an origin").revocation_url, None);
    }

    #[test]
    fn credential_of_another_source_has_no_origin() {
        assert_eq!(TokenOrigin::of(&oauth(BTreeMap::new())), None);
    }
}
