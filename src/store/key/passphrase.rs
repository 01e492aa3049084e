//! The source `passphrase`: the key is derived from a passphrase with Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, PassphraseRequest, PromptError, PromptPolicy, Purpose,
    RESTORE, location::Open, passphrase_provider::passphrase_provider,
};
use crate::{
    credential::Secret,
    store::{
        StoreError,
        crypto::seal::{KEY, SealingKey, random},
    },
};

/// The number of answers that a person may give.
const TRIES: u32 = 3;
/// The most work that is done: an altered record must not take all memory or time.
const LIMIT: Work = Work { memory_kib: 1 << 20, passes: 16, lanes: 16 };

/// The work of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The work of a new derivation: RFC 9106, section 4, the second recommended option.
const USUAL: Work = Work { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

/// The derivation of a key from a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Derivation {
    salt: String,
    work: Work,
}

impl Derivation {
    /// Derives the key, `None` if the record of the derivation is damaged.
    pub(super) fn derive(&self, passphrase: &Secret) -> Option<SealingKey> {
        let Work { memory_kib, passes, lanes } = self.work;
        if memory_kib > LIMIT.memory_kib || passes > LIMIT.passes || lanes > LIMIT.lanes {
            return None;
        }
        let parameters = Params::new(memory_kib, passes, lanes, Some(KEY)).ok()?;
        let salt = BASE64.decode(&self.salt).ok()?;
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, &mut key[..])
            .ok()?;
        SealingKey::from_bytes(&key[..])
    }

    /// Makes a derivation and its key.
    pub(super) fn make(
        passphrase: &Secret,
        context: &Context,
        source: KeySource,
    ) -> Result<(Self, SealingKey), StoreError> {
        let derivation = Self { salt: BASE64.encode(random::<16>()?), work: USUAL };
        let key = derivation.derive(passphrase);
        let key = key.ok_or_else(|| context.refuse(source, "there is not enough memory to derive a key"))?;
        Ok((derivation, key))
    }

    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let opened = self.ask_until_open(context, open);
        passphrase_provider().answered();
        opened
    }

    /// Asks for the passphrase until one opens the data key.
    fn ask_until_open(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let wrong_one = || StoreError::WrongPassphrase { path: context.database.clone() };
        let tries = if context.asking == PromptPolicy::Allowed { TRIES } else { 1 };
        for wrong in 0..tries {
            let passphrase = match ask(context, false, wrong) {
                // There is nobody who could correct the wrong one.
                Err(StoreError::PassphraseNeeded { .. }) if wrong > 0 => return Err(wrong_one()),
                other => other?,
            };
            let key = self.derive(&passphrase).ok_or_else(|| {
                context.refuse(KeySource::Passphrase, format!("the record of it was altered: {RESTORE}"))
            })?;
            if let Some(opened) = open(&key) {
                return Ok(opened);
            }
        }
        Err(wrong_one())
    }
}

/// Makes a key from a new passphrase, which is asked for.
pub(super) fn make(context: &Context) -> Result<NewKey, StoreError> {
    let passphrase = ask(context, true, 0)?;
    if passphrase.is_empty() {
        return Err(context.refuse(KeySource::Passphrase, "an empty passphrase protects nothing"));
    }
    let (derivation, key) = Derivation::make(&passphrase, context, KeySource::Passphrase)?;
    Ok(NewKey { location: KeyLocation::Passphrase(derivation), key })
}

/// Returns the passphrase that was given, or else asks for it.
fn ask(context: &Context, new: bool, wrong: u32) -> Result<Secret, StoreError> {
    let replaces = new && context.when == Purpose::Rekey { from: Some(KeySource::Passphrase) };
    let question = PassphraseRequest { database: &context.database, new, replaces, wrong };
    let answer = match &context.asking {
        PromptPolicy::Given(passphrase) => Ok(passphrase.clone()),
        PromptPolicy::Allowed => passphrase_provider().passphrase(question),
        PromptPolicy::No => Err(PromptError::Nobody),
    };
    match answer {
        Ok(passphrase) => Ok(passphrase),
        Err(PromptError::Nobody) => Err(needed(context, new)),
        Err(PromptError::Interrupted) => Err(StoreError::Interrupted),
        Err(PromptError::Failed(why)) => Err(context.refuse(KeySource::Passphrase, why)),
    }
}

fn needed(context: &Context, new: bool) -> StoreError {
    let path = context.database.clone();
    match (new, context.when) {
        (true, Purpose::Rekey { .. }) => StoreError::NewPassphraseNeeded { path },
        _ => StoreError::PassphraseNeeded { path },
    }
}
