//! Errors that the file formats share.

/// A text that is not of its format, with line and column from 1 if they are known.
#[derive(Debug)]
pub(super) struct ParseError(pub(super) Option<(usize, usize)>);

/// The reason why a format cannot hold a value.
pub(super) type UnsupportedEdit = &'static str;

/// Refuses a path through a value that has no keys.
pub(super) const NOT_A_MAP: UnsupportedEdit = "a value above it is not a map";
