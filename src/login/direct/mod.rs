//! Credentials that are entered: API keys, bearer tokens, user name and password, named fields.

pub mod api_key;
pub mod basic;
mod error;
pub mod field_input;
pub mod fields;
pub mod token;
