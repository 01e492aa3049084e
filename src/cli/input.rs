//! Secrets from standard input, files and variables. Errors do not repeat the given names: by mistake one may be the secret
//! itself.

use std::{
    env::{self, VarError},
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
};

use authenticate::credential::Secret;

use super::failure::Failure;

/// The longest secret, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// Refuses standard input that is a terminal: typed text would be visible.
pub fn refuse_terminal(hint: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Err(
            Failure::usage("standard input is a terminal, where the secret would be visible").hint(hint)
        );
    }
    Ok(())
}

/// Reads a secret to its end.
pub fn read(source: impl Read) -> io::Result<Secret> {
    Secret::read(source, MAX_LEN)
}

/// Reads a key or token from standard input.
pub fn stdin() -> Result<Secret, Failure> {
    read(io::stdin())
        .map_err(|error| Failure::usage(format!("cannot read the key from standard input: {error}")))
}

/// Reads the key or token in the file that a flag names.
pub fn file(flag: &str, path: &Path) -> Result<Secret, Failure> {
    File::open(path)
        .and_then(read)
        .map_err(|error| Failure::usage(format!("cannot read the key from the file of {flag}: {error}")))
}

/// Reads the variable that a flag names.
pub fn variable(flag: &str, name: &str) -> anyhow::Result<Secret> {
    match env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(VarError::NotPresent) => Err(Failure::usage(format!("the variable of {flag} is not set")).into()),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("the value of the variable of {flag} is not UTF-8")).into())
        }
    }
}
