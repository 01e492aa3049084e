//! A descriptor's words about an authorization server, made into endpoints that can be asked.

use super::{ClientAuth, Endpoint, Http, OAuthError, TokenEndpoint, discovery::discover};
use crate::{
    config::{Reference, ReferenceError, env_value},
    credential::Secret,
    provider::{
        descriptor::{Body, Mode},
        flow::{ClientAuthMethod, Flow},
    },
};

/// An authorization server, and who we are there.
#[derive(Debug)]
pub struct Server {
    /// Its token endpoint.
    pub token: TokenEndpoint,
    /// Where a login starts: the authorization or device authorization endpoint of the mode.
    pub start: Option<Endpoint>,
    /// Where a token is revoked, if it says so.
    pub revocation: Option<Endpoint>,
}

/// What we say about ourselves: read from where the descriptor says, before anything is sent.
#[derive(Debug)]
pub struct Client {
    id: String,
    secret: Option<Secret>,
}

impl Client {
    /// Reads the client of a mode's block.
    ///
    /// # Errors
    /// [`ReferenceError`] with the field.
    pub fn of(flow: &Flow, mode: Mode) -> Result<Self, ReferenceError> {
        let id =
            env_value::value(&format!("{mode}.client_id"), flow.client_id.as_deref().unwrap_or_default())?;
        let field = format!("{mode}.client_secret");
        let secret = flow.client_secret.as_deref().map(|place| read(place, &field)).transpose()?;
        Ok(Self { id, secret })
    }
}

/// Reads the secret that a field refers to.
///
/// # Errors
/// [`ReferenceError`] with the field.
pub fn read(place: &str, field: &str) -> Result<Secret, ReferenceError> {
    let reference: Reference =
        place.parse().map_err(|problem| ReferenceError { field: field.to_owned(), problem })?;
    reference.read(field)
}

impl Server {
    /// Finds the endpoints of a mode: those that the descriptor gives, and the others where its issuer publishes them.
    ///
    /// # Errors
    /// [`OAuthError::NoEndpoint`] when neither has one that is needed, and what a request can have.
    pub async fn find(http: &Http, flow: &Flow, mode: Mode, client: Client) -> Result<Self, OAuthError> {
        let start = match mode {
            Mode::Device => flow.device_authorization_url.as_deref(),
            Mode::Browser => flow.authorization_url.as_deref(),
            _ => None,
        };
        let mut start = start.map(str::parse::<Endpoint>).transpose()?;
        let mut token = flow.token_url.as_deref().map(str::parse::<Endpoint>).transpose()?;
        let mut revocation = None;
        let starts = matches!(mode, Mode::Device | Mode::Browser);
        if let Some(issuer) = flow.issuer.as_ref().filter(|_| token.is_none() || starts && start.is_none()) {
            let published = discover(http, issuer).await?;
            token = token.or(published.token);
            start = start.or(match mode {
                Mode::Device => published.device_authorization,
                Mode::Browser => published.authorization,
                _ => None,
            });
            revocation = published.revocation;
        }
        let none = |what| OAuthError::NoEndpoint { issuer: flow.issuer.clone().unwrap_or_default(), what };
        if starts && start.is_none() {
            return Err(none(format!("login endpoint for mode {mode}")));
        }
        let token = TokenEndpoint {
            url: token.ok_or_else(|| none("token endpoint".into()))?,
            client_id: client.id,
            client_secret: client.secret,
            client_auth: match flow.client_auth {
                Some(ClientAuthMethod::Body) => ClientAuth::Body,
                Some(ClientAuthMethod::Basic) | None => ClientAuth::Basic,
            },
            body: flow.body.unwrap_or(Body::Form),
        };
        Ok(Self { token, start, revocation })
    }
}
