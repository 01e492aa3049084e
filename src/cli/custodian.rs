//! The person at the terminal, as the one who knows the passphrase of the store; or the file that holds it.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use authenticate::{
    secret::Secret,
    store::{Custodian, Question, Source, Unanswered},
};
use dialoguer::{Password, theme::ColorfulTheme};

use super::{output, prompt};

/// Names a file with the passphrase.
const VARIABLE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
/// No passphrase is longer.
const MOST: u64 = 64 * 1024;

pub struct TerminalCustodian;

impl Custodian for TerminalCustodian {
    fn passphrase(&self, question: Question<'_>) -> Result<Secret, Unanswered> {
        if let Some(file) = env::var_os(VARIABLE).filter(|file| !file.is_empty()) {
            if question.wrong > 0 {
                return Err(Unanswered::Nobody);
            }
            let read = File::open(Path::new(&file)).and_then(read);
            return read.map_err(|error| Unanswered::Failed(format!("the file of {VARIABLE}: {error}")));
        }
        if question.wrong > 0 {
            output::warn("that is not the passphrase");
        }
        let text = if question.new { "New passphrase for the store" } else { "Passphrase of the store" };
        ask(text, question.new)
    }

    fn chosen(&self, _: &Path, source: Source, place: &str) {
        match source {
            Source::KeyFile => output::note(&format!(
                "the store is sealed with a key file: {}\n\
                 whoever has both files can read it; other ways to keep the key: authenticate store rekey --help",
                output::safe(place)
            )),
            _ => output::note(&format!("the store is sealed; its key is in: {}", output::safe(place))),
        }
    }

    fn differs(&self, text: &str) {
        output::warn(&output::safe(text));
    }
}

/// Asks at the terminal; twice for a new one.
pub fn ask(text: &str, twice: bool) -> Result<Secret, Unanswered> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Unanswered::Nobody);
    }
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::Interrupted => Unanswered::Interrupted,
        _ => Unanswered::Failed(error.to_string()),
    };
    let _guard = prompt::Guard::new().map_err(failed)?;
    let theme = ColorfulTheme::default();
    let mut password = Password::with_theme(&theme).with_prompt(text);
    if twice {
        password = password.with_confirmation("The same again", "those were not the same");
    }
    password.interact().map(Secret::from).map_err(|dialoguer::Error::IO(error)| failed(error))
}

/// The first line of a file or a stream.
pub fn read(from: impl io::Read) -> io::Result<Secret> {
    let mut text = zeroize::Zeroizing::new(String::new());
    from.take(MOST).read_to_string(&mut text)?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}
