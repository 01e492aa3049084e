//! Secrets from standard input, files and variables. Errors do not repeat the given names: by mistake one may be the secret
//! itself.

use std::{
    env::{self, VarError},
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
};

use authenticate::{
    credential::Secret,
    login::{FieldsError, LoginError},
};

use super::failure::Usage;

/// The longest secret, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// Refuses standard input that is a terminal: typed text would be visible.
pub fn refuse_terminal(hint: &str) -> Result<(), Usage> {
    if io::stdin().is_terminal() {
        return Err(Usage::new("standard input is a terminal, where the secret would be visible").hint(hint));
    }
    Ok(())
}

/// Reads a secret to its end.
pub fn read(from: &str, source: impl Read) -> Result<Secret, LoginError> {
    read_all(source).map_err(|source| LoginError::KeySource { from: from.to_owned(), source })
}

/// Reads the file that a flag names.
pub fn file(flag: &str, path: &Path) -> Result<Secret, LoginError> {
    let from = format!("the file of {flag}");
    let opened = File::open(path).map_err(|source| LoginError::KeySource { from: from.clone(), source })?;
    read(&from, opened)
}

/// Reads the value of a field to its end.
pub fn read_field(field: &str, source: impl Read) -> Result<Secret, LoginError> {
    read_all(source).map_err(|source| {
        let field = field.to_owned();
        LoginError::from(FieldsError::Source { field, source })
    })
}

/// Reads the variable that a flag names.
pub fn variable(flag: &str, name: &str) -> anyhow::Result<Secret> {
    match env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(VarError::NotPresent) => Err(Usage::new(format!("the variable of {flag} is not set")).into()),
        Err(VarError::NotUnicode(_)) => {
            Err(Usage::new(format!("the value of the variable of {flag} is not UTF-8")).into())
        }
    }
}

fn read_all(source: impl Read) -> io::Result<Secret> {
    Secret::read(source, MAX_LEN)
}
