//! Speaking to an authorization server: the requests of OAuth 2.0, each made once, with typed answers.
//!
//! Nothing here knows of logins, stores or people. A request is sent once and never repeated; the error says whether
//! it can have had an effect.

pub mod endpoint;
pub mod error;
pub mod http;
pub mod reply;
pub mod token;

mod adapter;
mod refusal;

#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointError};
pub use error::OAuthError;
pub use http::Http;
pub use reply::Tokens;
pub use token::{ClientAuth, TokenEndpoint, TokenHint, refresh, revoke};
