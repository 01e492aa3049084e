//! Credentials in environment variables, and variables for the blank fields of stored credentials.

use std::{collections::BTreeMap, env};

use super::{
    ResolveError,
    request::{FieldSource, Source},
};
use crate::{
    credential::{Credential, Kind, Secret, pasted},
    provider::{
        Descriptor, Mode,
        descriptor::{Field, PASSWORD, USERNAME},
    },
};

/// A credential found in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvCredential {
    /// The first variable that holds it or a part of it.
    pub variable: String,
    /// The credential.
    pub credential: Credential,
    /// For the kinds `fields` and `basic`: the origin of each field.
    pub fields: Vec<FieldSource>,
}

/// Finds a provider's credential in environment variables: those of its API keys first, then those of its bearer tokens, of
/// its fields, and `{NAME}_API_KEY` of its name and its aliases.
///
/// # Errors
/// [`ResolveError::Variable`] for a value that cannot be a secret: the search ends there, because the variable was meant.
pub fn from_env(provider: &Descriptor) -> Result<Option<EnvCredential>, ResolveError> {
    for (name, kind) in listed(provider) {
        if let Some(found) = single(name, kind)? {
            return Ok(Some(found));
        }
    }
    if let Some(found) = fields_from_env(provider)? {
        return Ok(Some(found));
    }
    // They hold keys, which a provider with fields does not take.
    let takes_keys = provider.all_fields().is_empty() || provider.modes.contains(&Mode::ApiKey);
    for name in std::iter::once(&provider.name).chain(&provider.aliases).filter(|_| takes_keys) {
        if let Some(found) = single(&own_variable(name), Kind::ApiKey)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The variables that hold a whole credential, in their order, each with its kind.
fn listed(provider: &Descriptor) -> impl Iterator<Item = (&str, Kind)> {
    let keys = provider.api_key.iter().flat_map(|api_key| api_key.env_var.iter());
    let tokens = provider.token.iter().flat_map(|token| token.env_var.iter());
    keys.map(|name| (name, Kind::ApiKey)).chain(tokens.map(|name| (name, Kind::Token)))
}

/// The kind of credential that a variable holds.
pub(crate) fn kind_in(provider: &Descriptor, variable: &str) -> Kind {
    let is_field = |field: &Field| field.env_var.as_deref() == Some(variable);
    match listed(provider).find(|(name, _)| *name == variable) {
        Some((_, kind)) => kind,
        None if provider.all_fields().values().any(is_field) => empty_fields(provider).kind(),
        None => Kind::ApiKey,
    }
}

/// The variable that the name and each alias of a provider with keys have: `{NAME}_API_KEY`.
fn own_variable(name: &str) -> String {
    format!("{}_API_KEY", name.to_ascii_uppercase().replace(['-', '.'], "_"))
}

fn single(name: &str, kind: Kind) -> Result<Option<EnvCredential>, ResolveError> {
    let Some(value) = read(name)? else { return Ok(None) };
    let Some(secret) = key_in(name, value.expose())? else { return Ok(None) };
    let credential = match kind {
        Kind::Token => Credential::Token { token: secret },
        _ => Credential::ApiKey { key: secret },
    };
    Ok(Some(EnvCredential { variable: name.to_owned(), credential, fields: Vec::new() }))
}

fn fields_from_env(provider: &Descriptor) -> Result<Option<EnvCredential>, ResolveError> {
    let (credential, fields) = fill_blank_fields(empty_fields(provider), Some(provider))?;
    let Some(variable) = fields.iter().find_map(|field| field.source.as_ref()?.variable()) else {
        return Ok(None);
    };
    let variable = variable.to_owned();
    Ok(is_complete(&credential).then_some(EnvCredential { variable, credential, fields }))
}

/// A credential whose fields are all empty.
fn empty_fields(provider: &Descriptor) -> Credential {
    match provider.modes.contains(&Mode::Basic) {
        true => Credential::Basic { username: String::new(), password: Secret::new("") },
        false => Credential::Fields(BTreeMap::new()),
    }
}

/// Fills the blank fields of a stored credential from the variables that its descriptor names, and returns the origin
/// of each. The values are not stored.
///
/// # Errors
/// [`ResolveError::Variable`] for a value that cannot be a secret: the field is not left blank, because the variable was meant.
pub fn fill_blank_fields(
    credential: Credential,
    provider: Option<&Descriptor>,
) -> Result<(Credential, Vec<FieldSource>), ResolveError> {
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
            (None, Some(variable)) => match read_field(variable)? {
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

/// Whether a credential has enough fields to be used.
pub fn is_complete(credential: &Credential) -> bool {
    match credential {
        Credential::Fields(_) => credential.field_names().iter().any(|name| credential.field(name).is_some()),
        Credential::Basic { .. } => [USERNAME, PASSWORD].iter().all(|name| credential.field(name).is_some()),
        _ => true,
    }
}

/// The text of an environment variable; `None` if it is not set or blank.
///
/// # Errors
/// [`ResolveError::Variable`]
fn read(name: &str) -> Result<Option<Secret>, ResolveError> {
    let Some(value) = env::var_os(name) else { return Ok(None) };
    let value = value.into_string().map_err(|_| not_a_secret(name, "it is not text (UTF-8)"))?;
    Ok((!value.trim().is_empty()).then(|| Secret::new(value)))
}

/// The field in an environment variable; `None` for a variable that is not set or blank.
///
/// # Errors
/// As [`field_in`].
pub(crate) fn read_field(name: &str) -> Result<Option<Secret>, ResolveError> {
    read(name)?.map_or(Ok(None), |value| field_in(name, value.expose()))
}

/// The key or token in the value of an environment variable, as [`pasted::key_in`] finds it; `None` if it is blank.
///
/// # Errors
/// [`ResolveError::Variable`] for a value that cannot be a key. The error names the variable, never its value.
pub fn key_in(name: &str, value: &str) -> Result<Option<Secret>, ResolveError> {
    if pasted::is_blank(value) {
        return Ok(None);
    }
    pasted::key_in(value).map(Some).map_err(|wrong| not_a_secret(name, wrong.problem))
}

/// The field in the value of an environment variable, without the white space around it; `None` if it is blank.
///
/// # Errors
/// As [`key_in`].
pub fn field_in(name: &str, value: &str) -> Result<Option<Secret>, ResolveError> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(None);
    }
    pasted::check_form(value).map_err(|problem| not_a_secret(name, problem))?;
    Ok(Some(Secret::new(value)))
}

fn not_a_secret(name: &str, problem: &'static str) -> ResolveError {
    ResolveError::Variable { name: name.to_owned(), problem }
}

/// A credential of which only this field is not blank.
pub fn single_field(provider: &Descriptor, name: &str, value: Secret) -> Credential {
    with(empty_fields(provider), name, value)
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
