//! Choosing a key source: once for a store, and again for `rekey`.

use super::{Context, Fresh, Recorded, Source, key_file};
use crate::store::{StoreError, settings::Wish};

/// A source that was chosen, with all that had to be asked for.
#[derive(Debug)]
pub(in crate::store) struct Chosen {
    pub source: Source,
    wish: Wish,
}

/// Chooses, and asks what has to be asked: all that may take long.
pub(in crate::store) fn choose(wish: Wish, _context: &Context) -> Result<Chosen, StoreError> {
    let source = wish.source.unwrap_or(Source::KeyFile);
    Ok(Chosen { source, wish })
}

impl Chosen {
    /// Makes a key, and puts it nowhere yet.
    pub(in crate::store) fn plan(
        &self,
        in_use: Option<&Recorded>,
        context: &Context,
    ) -> Result<Fresh, StoreError> {
        match self.source {
            Source::KeyFile => key_file::plan(self.wish.key_file.as_deref(), in_use, context),
        }
    }
}
