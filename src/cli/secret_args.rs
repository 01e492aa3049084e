//! Bearer tokens and fields from the flags of a login.

use std::{fs::File, io};

use authenticate::{
    credential::Secret,
    login::{FieldInput, LoginError},
    redact::redact_name,
};
use jiff::Timestamp;

use super::{failure::Failure, input, login::Args};

/// Reads the bearer token from the source that the flags name.
pub fn token(args: &Args) -> anyhow::Result<Option<Secret>> {
    if args.token_stdin {
        input::refuse_terminal("leave --token-stdin out to be asked for the token")?;
        return Ok(Some(input::stdin()?));
    }
    if let Some(file) = &args.token_file {
        return Ok(Some(input::file("--token-file", file)?));
    }
    args.token_env.as_deref().map(|name| input::variable("--token-env", name)).transpose()
}

/// The time when the key or token expires.
pub fn expires_at(args: &Args) -> Option<Timestamp> {
    args.expires_in.or(args.expires_at)
}

/// Reads the fields from the sources that the flags name.
pub fn fields(args: &Args) -> anyhow::Result<FieldInput> {
    if args.fields_json_stdin {
        input::refuse_terminal("leave --fields-json-stdin out to be asked for the fields")?;
        let text = input::stdin()?;
        return Ok(FieldInput::from_json(&text).map_err(LoginError::from)?);
    }
    let mut fields = FieldInput::default();
    let mut add = |field: &str, secret, visible| fields.add(field, secret, visible).map_err(LoginError::from);
    let mut stdin_is_taken = false;
    for text in &args.field {
        let (field, value) = split("--field", text)?;
        if value != "-" {
            add(field, value.into(), true)?;
            continue;
        }
        if std::mem::replace(&mut stdin_is_taken, true) {
            let hint = "--fields-json-stdin reads all fields at once";
            return Err(Failure::usage("standard input can hold only one field").hint(hint).into());
        }
        input::refuse_terminal("leave the field out to be asked for it")?;
        let read = input::read(std::io::stdin()).map_err(unreadable(field))?;
        add(field, without_newline(read), false)?;
    }
    for text in &args.field_file {
        let (field, file) = split("--field-file", text)?;
        let read = File::open(file).and_then(input::read).map_err(unreadable(field))?;
        add(field, without_newline(read), false)?;
    }
    for text in &args.field_env {
        let (field, name) = split("--field-env", text)?;
        add(field, input::variable("--field-env", name)?, false)?;
    }
    Ok(fields)
}

fn unreadable(field: &str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::usage(format!("cannot read field {}: {error}", redact_name(field)))
}

/// Splits `NAME=VALUE`. The error does not repeat the text: by mistake it may be a secret.
fn split<'a>(flag: &str, text: &'a str) -> anyhow::Result<(&'a str, &'a str)> {
    let is_name = |name: &str| {
        !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.split_once('=').filter(|(name, _)| is_name(name)).ok_or_else(|| {
        Failure::usage(format!("the argument of {flag} must be NAME=.., with the name of a field")).into()
    })
}

/// Removes the newline at the end of a file or pipe. Spaces stay: a password may end in them.
fn without_newline(value: Secret) -> Secret {
    let text = value.expose();
    Secret::new(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)))
}
