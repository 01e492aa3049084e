//! The passphrase of a backup or a new key, from standard input, a file or the terminal.

use std::{fs::File, path::PathBuf};

use authenticate::{credential::Secret, store::PromptError};

use crate::cli::{exit, failure::Failure, passphrase, secret_args::refuse_terminal};

#[derive(clap::Args)]
#[group(id = "from", multiple = false)]
pub struct Args {
    /// Read the passphrase from the first line of standard input
    #[arg(long)]
    passphrase_stdin: bool,
    /// Read the passphrase from the first line of a file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Args {
    /// Whether a flag gives the passphrase.
    pub fn is_given(&self) -> bool {
        self.passphrase_stdin || self.passphrase_file.is_some()
    }

    /// Reads the passphrase from the source that a flag names.
    pub fn given(&self) -> anyhow::Result<Option<Secret>> {
        let refuse = |from: &str, error: std::io::Error| {
            Failure::usage(format!("cannot read the passphrase from {from}: {error}"))
        };
        let read = if let Some(file) = &self.passphrase_file {
            let read = File::open(file).and_then(passphrase::read);
            read.map_err(|error| refuse("the file of --passphrase-file", error))?
        } else if self.passphrase_stdin {
            refuse_terminal("passphrase", "leave --passphrase-stdin out to be asked for it")?;
            passphrase::read(std::io::stdin()).map_err(|error| refuse("standard input", error))?
        } else {
            return Ok(None);
        };
        if read.is_empty() {
            return Err(Failure::usage("the passphrase is empty").into());
        }
        Ok(Some(read))
    }

    /// Reads the passphrase from the source that a flag names, or else asks for it; twice for a new one.
    pub fn get(&self, prompt: &str, new: bool) -> anyhow::Result<Secret> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        match passphrase::ask(prompt, new) {
            Ok(passphrase) => Ok(passphrase),
            Err(PromptError::Interrupted) => Err(Failure::reported(exit::INTERRUPTED).into()),
            Err(PromptError::Nobody) => {
                let message = "a passphrase is needed, and there is no terminal to ask for it at";
                Err(Failure::usage(message).hint("use --passphrase-stdin or --passphrase-file FILE").into())
            }
            Err(PromptError::Failed(error)) => {
                Err(Failure::usage(format!("cannot read the passphrase: {error}")).into())
            }
        }
    }
}
