//! Speaking to an authorization server: the requests of OAuth 2.0, each made once, with typed answers.
//!
//! Nothing here knows of logins, stores or people. A request is sent once and never repeated; the error says whether
//! it can have had an effect.

pub mod device;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod http;
pub mod origin;
pub mod reply;
pub mod server;
pub mod token;
pub mod userinfo;

mod adapter;
mod refusal;

#[cfg(test)]
mod tests;

pub use crate::net::endpoint::{Endpoint, EndpointError};
pub use error::OAuthError;
pub use http::Http;
pub(crate) use http::TOTAL as HTTP_LIMIT;
pub use origin::Origin;
pub use reply::Tokens;
pub use server::{Client, Server};
pub use token::{ClientAuth, TokenEndpoint, TokenHint, refresh, revoke};
