//! The authorization server of a flow: its endpoints, described or discovered, and our client there.

use super::{Endpoint, Http, OAuthError, TokenEndpoint, discovery::discover};
use crate::{
    config::{ReferenceError, SecretReference, env_value},
    credential::Secret,
    provider::{descriptor::Mode, flow::Flow},
};

/// An authorization server, as far as a login uses it.
#[derive(Debug)]
pub struct AuthorizationServer {
    /// The token endpoint, with our client.
    pub token: TokenEndpoint,
    /// The authorization or device authorization endpoint, for a mode that starts there.
    pub start: Option<Endpoint>,
    /// The revocation endpoint, if published.
    pub revocation: Option<Endpoint>,
}

/// A client identifier and its secret, read before anything is sent.
#[derive(Debug)]
pub struct ClientIdentity {
    id: String,
    secret: Option<Secret>,
}

impl ClientIdentity {
    /// Reads the client of a mode's flow.
    ///
    /// # Errors
    /// [`ReferenceError`] with the field.
    pub fn read(flow: &Flow, mode: Mode) -> Result<Self, ReferenceError> {
        let id =
            env_value::resolve(&format!("{mode}.client_id"), flow.client_id.as_deref().unwrap_or_default())?;
        let field = format!("{mode}.client_secret");
        let secret =
            flow.client_secret.as_deref().map(|reference| read_secret(reference, &field)).transpose()?;
        Ok(Self { id, secret })
    }
}

/// Reads the secret that a field refers to.
///
/// # Errors
/// [`ReferenceError`] with the field.
pub fn read_secret(reference: &str, field: &str) -> Result<Secret, ReferenceError> {
    let reference: SecretReference =
        reference.parse().map_err(|problem| ReferenceError { field: field.to_owned(), problem })?;
    reference.read(field)
}

impl AuthorizationServer {
    /// Finds the endpoints of a mode: from the descriptor, and the missing ones from its issuer's metadata.
    ///
    /// # Errors
    /// [`OAuthError::NoEndpoint`] when neither has an endpoint that is needed, and the errors of a request.
    pub async fn find(
        http: &Http,
        flow: &Flow,
        mode: Mode,
        client: ClientIdentity,
    ) -> Result<Self, OAuthError> {
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
        let missing = |what| OAuthError::NoEndpoint { issuer: flow.issuer.clone().unwrap_or_default(), what };
        if starts && start.is_none() {
            return Err(missing(format!("login endpoint for mode {mode}")));
        }
        let token = TokenEndpoint {
            url: token.ok_or_else(|| missing("token endpoint".into()))?,
            client_id: client.id,
            client_secret: client.secret,
            client_auth: flow.client_auth.unwrap_or_default(),
            body: flow.body.unwrap_or_default(),
        };
        Ok(Self { token, start, revocation })
    }
}
