//! A client of OAuth 2.0 authorization servers: typed requests and responses, each request sent once.
//!
//! Nothing here knows of logins, stores or people. No request is repeated; an error says whether the request may have
//! taken effect.

pub mod device;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod http;
pub mod login_parameters;
pub mod pkce;
pub mod revocation;
pub mod server;
pub mod token_endpoint;
pub mod token_origin;
pub mod token_response;
pub mod userinfo;

mod echo;
mod error_response;
mod form;
mod response;

#[cfg(test)]
mod tests;

pub use crate::{
    net::endpoint::{Endpoint, EndpointError},
    provider::flow::ClientAuth,
};
pub use error::OAuthError;
pub use grant::refresh;
pub use http::Http;
pub(crate) use http::TOTAL as HTTP_LIMIT;
pub use login_parameters::LoginParameters;
pub use revocation::{TokenHint, revoke};
pub use server::{AuthorizationServer, ClientIdentity};
pub use token_endpoint::TokenEndpoint;
pub use token_origin::TokenOrigin;
pub use token_response::Tokens;
