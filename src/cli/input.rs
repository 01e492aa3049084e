//! Secrets from standard input, files and variables. None of their names is repeated in an error: by a slip it may be
//! the secret itself.

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

/// No secret is longer.
const MAX: usize = 64 * 1024;

/// What is typed at a terminal would be seen.
pub fn refuse_terminal(hint: &str) -> Result<(), Usage> {
    if io::stdin().is_terminal() {
        return Err(Usage::new("standard input is a terminal, where the secret would be seen").hint(hint));
    }
    Ok(())
}

/// All that there is to read.
pub fn read(from: &str, source: impl Read) -> Result<Secret, LoginError> {
    all(source).map_err(|source| LoginError::KeySource { from: from.to_owned(), source })
}

/// The content of the file that a flag names.
pub fn file(flag: &str, path: &Path) -> Result<Secret, LoginError> {
    let from = format!("the file of {flag}");
    let opened = File::open(path).map_err(|source| LoginError::KeySource { from: from.clone(), source })?;
    read(&from, opened)
}

/// The same, for a field.
pub fn read_field(field: &str, source: impl Read) -> Result<Secret, LoginError> {
    all(source).map_err(|source| {
        let field = field.to_owned();
        LoginError::from(FieldsError::Source { field, source })
    })
}

/// The value of the variable that a flag names.
pub fn variable(flag: &str, name: &str) -> anyhow::Result<Secret> {
    match env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(VarError::NotPresent) => Err(Usage::new(format!("the variable of {flag} is not set")).into()),
        Err(VarError::NotUnicode(_)) => {
            Err(Usage::new(format!("the variable of {flag} does not hold text")).into())
        }
    }
}

fn all(source: impl Read) -> io::Result<Secret> {
    Secret::read(source, MAX)
}
