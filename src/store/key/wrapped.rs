//! The data key, wrapped: sealed with the key of its source.

use jiff::Timestamp;

use super::{Context, DataKey, ID, KeySource, NewKey, PromptPolicy, RESTORE, Row, session};
use crate::store::{
    StoreError,
    crypto::seal::{AssociatedData, SealingKey},
};

/// Wraps a data key with the key that a source has made, for the database.
pub(in crate::store) fn wrap(key: &DataKey, new: &NewKey, erased: bool) -> Result<Row, StoreError> {
    let (source, parameters) = new.location.columns();
    let wrapped = new.key.seal(&associated_data(&key.id, source, parameters), key.key.expose())?;
    let (source, parameters) = (source.to_owned(), parameters.to_owned());
    Ok(Row { key_id: key.id, source, parameters, wrapped, created_at: Timestamp::now(), erased })
}

/// Returns the data key of a row: the one that this process holds, the one that is kept unlocked, or else the one that
/// the source returns.
pub(in crate::store) fn unwrap(row: &Row, context: &Context) -> Result<DataKey, StoreError> {
    let location = row.location().ok_or_else(|| StoreError::KeySource {
        path: context.database.clone(),
        source_name: row.source.clone(),
        why: match KeySource::ALL.iter().any(|known| known.as_str() == row.source) {
            true => format!("the record of it was altered: {RESTORE}"),
            false => "this version of authenticate does not know it: update authenticate".into(),
        },
        replaces: false,
    })?;
    // A passphrase that is given must be tried.
    if location.file(context).is_none() && !matches!(context.asking, PromptPolicy::Given(_)) {
        let kept = session::find(&row.key_id).map(|(key, _)| key);
        if let Some(key) = kept {
            return Ok(key);
        }
    }
    location.unwrap(context, &|wrapping: &SealingKey| {
        let data = associated_data(&row.key_id, &row.source, &row.parameters);
        let plain = wrapping.open(&data, &row.wrapped)?;
        Some(DataKey { id: row.key_id, key: SealingKey::from_bytes(&plain)? })
    })
}

/// Binds the key to its source and the parameters, so that neither can be exchanged.
fn associated_data(id: &[u8; ID], source: &str, parameters: &str) -> AssociatedData {
    AssociatedData::new("data key", &[id, source.as_bytes(), parameters.as_bytes()])
}
