//! Getting a credential.

pub mod url_finder;
