//! What the environment has: whole credentials, and the fields that are blank in stored ones.

use std::collections::BTreeMap;

use super::{
    request::{FieldSource, Source},
    variable,
};
use crate::{
    Error,
    credential::{Credential, Kind, Secret},
    provider::{
        Descriptor, Mode,
        descriptor::{Field, PASSWORD, USERNAME},
    },
};

/// A credential that is in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvCredential {
    /// The first variable that it is in.
    pub variable: String,
    /// The credential.
    pub credential: Credential,
    /// Where each field came from, for kinds `fields` and `basic`.
    pub fields: Vec<FieldSource>,
}

/// The credential that a provider's environment variables hold: the first of those of its API keys and then of its bearer
/// tokens, else its fields, else `{ID}_API_KEY`, which every provider has.
///
/// # Errors
/// [`Error::Variable`] for a value that cannot be one, in place of looking further: it was meant.
pub fn from_env(provider: &Descriptor) -> Result<Option<EnvCredential>, Error> {
    for (name, kind) in listed(provider) {
        if let Some(found) = single(name, kind)? {
            return Ok(Some(found));
        }
    }
    match fields_from_env(provider)? {
        Some(found) => Ok(Some(found)),
        None => single(&own_variable(provider), Kind::ApiKey),
    }
}

/// The variables that hold the whole of a credential, in their order, and its kind.
fn listed(provider: &Descriptor) -> impl Iterator<Item = (&str, Kind)> {
    let keys = provider.api_key.iter().flat_map(|api_key| api_key.env_var.iter());
    let tokens = provider.token.iter().flat_map(|token| token.env_var.iter());
    keys.map(|name| (name, Kind::ApiKey)).chain(tokens.map(|name| (name, Kind::Token)))
}

/// The kind of credential that a variable is for.
pub(crate) fn kind_in(provider: &Descriptor, variable: &str) -> Kind {
    let is_field = |field: &Field| field.env_var.as_deref() == Some(variable);
    match listed(provider).find(|(name, _)| *name == variable) {
        Some((_, kind)) => kind,
        None if provider.all_fields().values().any(is_field) => empty_fields(provider).kind(),
        None => Kind::ApiKey,
    }
}

/// `{ID}_API_KEY`
fn own_variable(provider: &Descriptor) -> String {
    format!("{}_API_KEY", provider.name.to_ascii_uppercase().replace(['-', '.'], "_"))
}

fn single(name: &str, kind: Kind) -> Result<Option<EnvCredential>, Error> {
    let Some(secret) = variable::read_secret(name)? else { return Ok(None) };
    let credential = match kind {
        Kind::Token => Credential::Token { token: secret },
        _ => Credential::ApiKey { key: secret },
    };
    Ok(Some(EnvCredential { variable: name.to_owned(), credential, fields: Vec::new() }))
}

fn fields_from_env(provider: &Descriptor) -> Result<Option<EnvCredential>, Error> {
    let (credential, fields) = fill_blank_fields(empty_fields(provider), Some(provider))?;
    let Some(variable) = fields.iter().find_map(|field| field.source.as_ref()?.variable()) else {
        return Ok(None);
    };
    let variable = variable.to_owned();
    Ok(is_complete(&credential).then_some(EnvCredential { variable, credential, fields }))
}

/// With fields, and nothing in them.
fn empty_fields(provider: &Descriptor) -> Credential {
    match provider.modes.contains(&Mode::Basic) {
        true => Credential::Basic { username: String::new(), password: Secret::new("") },
        false => Credential::Fields(BTreeMap::new()),
    }
}

/// Fills the blank fields of a stored credential from the variables that its descriptor names, and says where each came
/// from. What is filled is used now, and stored nowhere.
///
/// # Errors
/// [`Error::Variable`] for a value that cannot be one, in place of leaving the field blank: it was meant.
pub fn fill_blank_fields(
    credential: Credential,
    provider: Option<&Descriptor>,
) -> Result<(Credential, Vec<FieldSource>), Error> {
    let described = provider.map(Descriptor::all_fields).unwrap_or_default();
    let mut variables: Vec<(String, Option<String>)> =
        described.into_iter().map(|(name, field)| (name, field.env_var)).collect();
    for name in credential.field_names() {
        if !variables.iter().any(|(known, _)| *known == name) {
            variables.push((name, None));
        }
    }
    let mut filled = credential;
    let mut sources = Vec::new();
    for (name, env_var) in variables {
        let source = match (filled.field(&name), &env_var) {
            (Some(_), _) => Some(Source::Stored),
            (None, Some(variable)) => match variable::read_secret(variable)? {
                Some(value) => {
                    filled = with(filled, &name, value);
                    Some(Source::Env(variable.clone()))
                }
                None => None,
            },
            (None, None) => None,
        };
        sources.push(FieldSource { name, source, variable: env_var });
    }
    Ok((filled, sources))
}

/// Whether there is enough of it to be used at all.
pub fn is_complete(credential: &Credential) -> bool {
    match credential {
        Credential::Fields(_) => credential.field_names().iter().any(|name| credential.field(name).is_some()),
        Credential::Basic { .. } => [USERNAME, PASSWORD].iter().all(|name| credential.field(name).is_some()),
        _ => true,
    }
}

fn with(credential: Credential, name: &str, value: Secret) -> Credential {
    match credential {
        Credential::Fields(mut fields) => {
            fields.insert(name.to_owned(), value);
            Credential::Fields(fields)
        }
        Credential::Basic { password, .. } if name == USERNAME => {
            Credential::Basic { username: value.expose().to_owned(), password }
        }
        Credential::Basic { username, .. } if name == PASSWORD => {
            Credential::Basic { username, password: value }
        }
        other => other,
    }
}
