//! Credentials that need no login: API keys, bearer tokens, user and password, named fields.

pub mod api_key;
pub mod basic;
pub mod field_input;
pub mod fields;
pub mod token;
