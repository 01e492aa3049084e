//! The data key, sealed under the key of its source.

use jiff::Timestamp;

use super::{
    Context, DataKey, ID, KeySource, NewKey, PromptPolicy, RESTORE, Row, cache, session, source::KeyLocation,
};
use crate::store::{
    StoreError,
    crypto::seal::{AssociatedData, SealingKey},
};

/// The row that records a data key under what a source has made for it.
pub(in crate::store) fn wrap(key: &DataKey, fresh: &NewKey, erased: bool) -> Result<Row, StoreError> {
    let (source, parameters) = fresh.recorded.to_columns();
    let wrapped = fresh.key.seal(&about(&key.id, &source, &parameters), key.key.expose())?;
    Ok(Row { key_id: key.id, source, parameters, wrapped, created_at: Timestamp::now(), erased })
}

/// The data key of a row: the one that this process holds, the one that was unlocked for this login session, or else by asking
/// the source.
pub(in crate::store) fn unwrap(row: &Row, context: &Context) -> Result<DataKey, StoreError> {
    let unknown = || StoreError::KeySource {
        path: context.database.clone(),
        source_name: row.source.clone(),
        why: match KeySource::ALL.iter().any(|known| known.as_str() == row.source) {
            true => format!("the record of it was altered: {RESTORE}"),
            false => "this version of authenticate does not know it: update authenticate".into(),
        },
    };
    let recorded = KeyLocation::from_columns(&row.source, &row.parameters).ok_or_else(unknown)?;
    let open = |wrapping: &SealingKey| {
        let plain = wrapping.open(&about(&row.key_id, &row.source, &row.parameters), &row.wrapped)?;
        Some(DataKey { id: row.key_id, key: SealingKey::from_bytes(&plain)? })
    };
    // Who gives a passphrase wants it to be tried.
    let may_be_kept = !recorded.is_always_open() && !matches!(context.asking, PromptPolicy::Given(_));
    if may_be_kept {
        let kept = cache::find(&row.key_id).or_else(|| session::find(&row.key_id).map(|(key, _)| key));
        if let Some(key) = kept {
            return Ok(key);
        }
    }
    recorded.unwrap(context, &open)
}

/// Bound to the source and its parameters, so that neither can be exchanged.
fn about(id: &[u8; ID], source: &str, parameters: &str) -> AssociatedData {
    AssociatedData::new("data key", &[id, source.as_bytes(), parameters.as_bytes()])
}
