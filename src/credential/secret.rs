//! Secret strings.

use std::{
    fmt,
    io::{self, Read},
};

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A secret string.
///
/// Its memory is wiped when it is dropped. `Debug` redacts it, it has no `Display`, and comparisons take constant time
/// for a given length. Only [`Secret::expose`] returns the value.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a value that is secret from here on.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// Reads a whole secret of at most `limit` bytes, without the byte order mark that some editors begin a file with.
    ///
    /// # Errors
    /// The source's errors; [`io::ErrorKind::InvalidData`] if the secret is longer or not UTF-8.
    pub fn read(source: impl Read, limit: usize) -> io::Result<Self> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
        // Allocated at once: a growing buffer would leave unwiped copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
        source.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(invalid(&format!("it is longer than {limit} bytes")));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid("it is not text (UTF-8)"))?;
        Ok(Self::new(without_mark(text)))
    }

    /// The value itself, for the code that sends or writes it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the value is the empty string, which is never a usable secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text without the byte order mark that some editors begin a file with.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl ConstantTimeEq for Secret {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_bytes().ct_eq(other.0.as_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_redacts_the_value() {
        let debug = format!("{:?} {:#?}", Secret::new("hunter2"), Some(Secret::new("hunter2")));
        assert!(!debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn secrets_are_equal_only_with_the_same_value() {
        assert_eq!(Secret::new("hunter2"), Secret::new("hunter2"));
        for other in ["", "hunter", "hunter3", "hunter22"] {
            assert_ne!(Secret::new("hunter2"), Secret::new(other));
        }
    }
}
