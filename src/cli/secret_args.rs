//! Secrets from flags, standard input, files and variables. Errors do not repeat the given names: by mistake one may be the
//! secret itself.

use std::{
    env::{self, VarError},
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
};

use authenticate::{
    credential::Secret,
    login::{FieldInput, LoginError},
    redact::{quote, redact_name},
};

use super::{failure::Failure, login::Args, output};

/// The longest secret, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// Reads the API key from the source that the flags name.
pub fn api_key(args: &Args) -> anyhow::Result<Option<Secret>> {
    if let Some(key) = &args.api_key {
        output::warn(
            "other users of this machine could see that key; use --api-key-stdin to keep it from them",
        );
        return Ok(Some(key.as_str().into()));
    }
    let (file, variable) = (args.api_key_file.as_deref(), args.api_key_env.as_deref());
    secret("--api-key", "key", args.api_key_stdin, file, variable)
}

/// Reads the bearer token from the source that the flags name.
pub fn token(args: &Args) -> anyhow::Result<Option<Secret>> {
    let (file, variable) = (args.token_file.as_deref(), args.token_env.as_deref());
    secret("--token", "token", args.token_stdin, file, variable)
}

/// Reads a key or token from the source that one of the flags `FLAG-stdin`, `FLAG-file` and `FLAG-env` names.
fn secret(
    flag: &str,
    name: &str,
    stdin: bool,
    file: Option<&Path>,
    variable: Option<&str>,
) -> anyhow::Result<Option<Secret>> {
    if stdin {
        return stdin_without(&format!("{flag}-stdin"), &format!("the {name}")).map(Some);
    }
    if let Some(file) = file {
        let read = File::open(file).and_then(read).map_err(|error| {
            Failure::usage(format!("cannot read the {name} from the file of {flag}-file: {error}"))
        });
        return Ok(Some(read?));
    }
    variable.map(|name| from_env(&format!("{flag}-env"), name)).transpose()
}

/// Reads the fields from the sources that the flags name.
pub fn fields(args: &Args) -> anyhow::Result<FieldInput> {
    if args.fields_json_stdin {
        let text = stdin_without("--fields-json-stdin", "the fields")?;
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
        refuse_terminal("secret", "leave the field out to be asked for it")?;
        add(field, field_value(field, read(io::stdin()))?, false)?;
    }
    for text in &args.field_file {
        let (field, file) = split("--field-file", text)?;
        add(field, field_value(field, File::open(file).and_then(read))?, false)?;
    }
    for text in &args.field_env {
        let (field, name) = split("--field-env", text)?;
        add(field, from_env("--field-env", name)?, false)?;
    }
    Ok(fields)
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

/// The value of a field without the newline at the end of a file or pipe. Spaces stay: a password may end in them.
fn field_value(field: &str, read: io::Result<Secret>) -> Result<Secret, Failure> {
    let value =
        read.map_err(|error| Failure::usage(format!("cannot read field {}: {error}", redact_name(field))))?;
    let text = value.expose();
    Ok(Secret::new(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))))
}

/// Reads standard input as a flag asks. At a terminal, the person is asked only without that flag.
fn stdin_without(flag: &str, asked_for: &str) -> anyhow::Result<Secret> {
    refuse_terminal("secret", &format!("leave {flag} out to be asked for {asked_for}"))?;
    let failed = |error| Failure::usage(format!("cannot read {asked_for} from standard input: {error}"));
    Ok(read(io::stdin()).map_err(failed)?)
}

/// Refuses standard input that is a terminal: typed text would be visible.
pub fn refuse_terminal(secret: &str, hint: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        let message = format!("standard input is a terminal, where the {secret} would be visible");
        return Err(Failure::usage(message).hint(hint));
    }
    Ok(())
}

/// Reads the variable that a flag names.
pub fn from_env(flag: &str, name: &str) -> anyhow::Result<Secret> {
    let problem = match env::var(name) {
        Ok(value) => return Ok(value.into()),
        Err(VarError::NotPresent) => "is not set",
        Err(VarError::NotUnicode(_)) => "has a value that is not UTF-8",
    };
    Err(Failure::usage(format!("the variable {} of {flag} {problem}", quote(name))).into())
}

/// Reads a secret to its end.
fn read(source: impl Read) -> io::Result<Secret> {
    Secret::read(source, MAX_LEN)
}
