//! The person at the terminal, as the one who knows the passphrase of the store; or the file that holds it.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use authenticate::{
    credential::Secret,
    store::{KeySource, PassphraseProvider, PassphraseRequest, PromptError},
};

use super::{output, prompt::Asking};

/// Names a file with the passphrase.
const VARIABLE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
/// No passphrase is longer.
const MOST: usize = 64 * 1024;

/// Between the tries nothing is shown either, for what was typed is being tried.
#[derive(Default)]
pub struct TerminalPassphrase(Mutex<Option<Asking>>);

impl PassphraseProvider for TerminalPassphrase {
    fn passphrase(&self, question: PassphraseRequest<'_>) -> Result<Secret, PromptError> {
        let file = env::var_os(VARIABLE).filter(|file| !file.is_empty());
        // In it is the present one.
        if let Some(file) = file.filter(|_| !question.replaces) {
            if question.wrong > 0 {
                return Err(PromptError::Nobody);
            }
            let read = File::open(Path::new(&file)).and_then(read);
            return read.map_err(|error| PromptError::Failed(format!("the file of {VARIABLE}: {error}")));
        }
        if question.wrong > 0 {
            output::warn("that is not the passphrase");
        }
        match question.new {
            true => ask("New passphrase for the store", true),
            false => ask_in(&mut self.hidden(), "Passphrase of the store", false),
        }
    }

    fn answered(&self) {
        *self.hidden() = None;
    }

    fn chosen(&self, _: &Path, source: KeySource, place: &str) {
        match source {
            KeySource::KeyFile => output::note(&format!(
                "the store is sealed with a key file: {}\n\
                 whoever has both files can read it; other ways to keep the key: authenticate store rekey --help",
                output::safe(place)
            )),
            _ => output::note(&format!("the store is sealed; its key is in: {}", output::safe(place))),
        }
    }

    fn left(&self, file: &Path) {
        output::note(&format!(
            "the key file that it had is still there: {}\nremove it, unless another store has it, too",
            output::safe(&file.display().to_string())
        ));
    }

    fn differs(&self, text: &str) {
        output::warn(&output::safe(text));
    }
}

impl TerminalPassphrase {
    fn hidden(&self) -> MutexGuard<'_, Option<Asking>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks at the terminal; twice for a new one.
pub fn ask(text: &str, twice: bool) -> Result<Secret, PromptError> {
    ask_in(&mut None, text, twice)
}

fn ask_in(hidden: &mut Option<Asking>, text: &str, twice: bool) -> Result<Secret, PromptError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(PromptError::Nobody);
    }
    let mut ask = || {
        let hidden = match hidden {
            Some(hidden) => hidden,
            None => hidden.insert(Asking::hidden()?),
        };
        if twice { hidden.ask_twice(text) } else { hidden.ask(text, false) }
    };
    ask().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::Interrupted => PromptError::Interrupted,
        _ => PromptError::Failed(error.to_string()),
    })
}

/// The first line of a file or a stream.
pub fn read(from: impl io::Read) -> io::Result<Secret> {
    let text = Secret::read(from, MOST)?;
    Ok(Secret::new(text.expose().lines().next().unwrap_or_default()))
}
