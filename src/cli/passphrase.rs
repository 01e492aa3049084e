//! The passphrase of the store, from the terminal or from a file.

use std::{
    env,
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use authenticate::{
    credential::Secret,
    store::{KeySource, PassphraseProvider, PassphraseRequest, PromptError},
};

use super::{output, prompt::Prompt};

/// The variable that names a file with the passphrase.
const FILE_VARIABLE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
/// The longest passphrase, in bytes.
const MAX_LEN: usize = 64 * 1024;
/// The byte order mark that some editors begin a file with.
const MARK: &str = "\u{feff}";

/// Asks for the passphrase. Typed text stays hidden between two tries, too, while the first is being checked.
#[derive(Default)]
pub struct TerminalPassphrase(Mutex<Option<Prompt>>);

impl PassphraseProvider for TerminalPassphrase {
    fn passphrase(&self, question: PassphraseRequest<'_>) -> Result<Secret, PromptError> {
        let file = env::var_os(FILE_VARIABLE).filter(|file| !file.is_empty());
        // The file holds the current passphrase, not a new one.
        if let Some(file) = file.filter(|_| !question.replaces) {
            let file = Path::new(&file);
            let again = match question.wrong {
                0 => false,
                // Before, the mark of such a file was a part of the passphrase.
                1 if begins_with_mark(file) => true,
                _ => return Err(PromptError::Nobody),
            };
            let read = File::open(file).and_then(read);
            return read
                .map(|read| if again { format!("{MARK}{}", read.expose()).into() } else { read })
                .map_err(|error| PromptError::Failed(format!("the file of {FILE_VARIABLE}: {error}")));
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
                 whoever has both files can read it; for other key sources: authenticate store rekey --help",
                output::safe(place)
            )),
            _ => output::note(&format!("the store is sealed; its key is in: {}", output::safe(place))),
        }
    }

    fn left(&self, file: &Path) {
        output::note(&format!(
            "the old key file is still there: {}\nremove it, unless another store uses it",
            output::safe(&file.display().to_string())
        ));
    }

    fn without_shared_memory(&self, database: &Path) {
        output::note(&format!(
            "the file system of {} maps no shared memory: the store uses a rollback journal, and commands may wait for \
             each other",
            output::safe(&database.display().to_string())
        ));
    }

    fn differs(&self, database: &Path, wanted: KeySource, place: &str) {
        output::warn(&output::safe(&settings_differ(database, wanted, place)));
    }
}

impl TerminalPassphrase {
    fn hidden(&self) -> MutexGuard<'_, Option<Prompt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The warning that the settings name another key source than the one in use, with the command that changes it.
pub fn settings_differ(database: &Path, wanted: KeySource, place: &str) -> String {
    format!(
        "the settings name the key source {wanted}, but the key of {} is still {place}: \
         `authenticate store rekey --source {wanted}` changes that",
        database.display()
    )
}

/// Asks at the terminal; twice for a new passphrase.
pub fn ask(text: &str, twice: bool) -> Result<Secret, PromptError> {
    ask_in(&mut None, text, twice)
}

fn ask_in(hidden: &mut Option<Prompt>, text: &str, twice: bool) -> Result<Secret, PromptError> {
    if !super::terminal::interactive() {
        return Err(PromptError::Nobody);
    }
    let mut ask = || {
        let hidden = match hidden {
            Some(hidden) => hidden,
            None => hidden.insert(Prompt::hidden()?),
        };
        if twice { hidden.ask_twice(text) } else { hidden.ask(text, false) }
    };
    ask().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::Interrupted => PromptError::Interrupted,
        _ => PromptError::Failed(error.to_string()),
    })
}

fn begins_with_mark(file: &Path) -> bool {
    let mut first = [0; MARK.len()];
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    is_file
        && File::open(file).and_then(|mut file| file.read_exact(&mut first)).is_ok()
        && first == MARK.as_bytes()
}

/// Reads the first line of a file or stream.
pub fn read(from: impl io::Read) -> io::Result<Secret> {
    let text = Secret::read(from, MAX_LEN)?;
    Ok(Secret::new(text.expose().lines().next().unwrap_or_default()))
}
