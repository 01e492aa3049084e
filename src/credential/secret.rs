//! A string that must not be seen.

use std::{
    fmt,
    io::{self, Read},
};

use zeroize::Zeroizing;

/// A secret value. Its memory is wiped when it is dropped; neither `Debug` nor any error shows anything
/// of it, and it has no `Display`. The only way to the value is [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of a value that is secret from here on.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// Reads all of one that has at most `most` bytes.
    ///
    /// # Errors
    /// What the source says; [`io::ErrorKind::InvalidData`] for what is not text (UTF-8) or is longer.
    pub fn read(source: impl Read, most: usize) -> io::Result<Self> {
        let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
        source.take(most as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > most {
            return Err(invalid("it is longer than any secret"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid("it is not text (UTF-8)"))?;
        Ok(Self::new(text))
    }

    /// The value itself, for the one place that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True for the empty string, which is never a usable secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

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
    fn debug_shows_nothing_of_the_value() {
        let shown = format!("{:?} {:#?}", Secret::new("hunter2"), Some(Secret::new("hunter2")));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
