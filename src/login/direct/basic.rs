//! User name and password (RFC 7617).

use indexmap::IndexMap;

use super::fields::FieldsError;
use crate::{
    credential::{Credential, Secret},
    provider::descriptor::{PASSWORD, USERNAME},
};

/// Makes a credential of the fields `username` and `password`.
///
/// # Errors
/// [`FieldsError::Bad`] for a user name with a colon, which would end it (RFC 7617 section 2).
pub fn credential(mut fields: IndexMap<String, Secret>) -> Result<Credential, FieldsError> {
    let mut take = |name| fields.swap_remove(name).unwrap_or_else(|| Secret::new(""));
    let username = take(USERNAME);
    if username.expose().contains(':') {
        let problem = "a user name has no colon".to_owned();
        return Err(FieldsError::Bad { field: USERNAME.to_owned(), problem });
    }
    Ok(Credential::Basic { username: username.expose().to_owned(), password: take(PASSWORD) })
}
