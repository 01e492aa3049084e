//! Errors that the file formats share.

/// A syntax error, with line and column (both from 1) if they are known.
#[derive(Debug)]
pub(super) struct ParseError(pub(super) Option<(usize, usize)>);

/// The reason why a format cannot hold a value.
pub(super) type UnsupportedEdit = &'static str;

/// The refusal of a path that leads through a value without keys.
pub(super) const NOT_A_MAP: UnsupportedEdit = "a value above it is not a map";
