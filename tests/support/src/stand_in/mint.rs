//! Credentials out of nothing: random, of the shape that a vendor's have, and marked if a test asks for it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Makes credentials that all contain the same canary, which a test can then look for anywhere.
#[derive(Clone, Default)]
pub struct Mint {
    canary: String,
}

impl Mint {
    /// The canary has to fit into every kind of token, so it is limited to letters, digits, `-` and `_`.
    pub fn new(canary: String) -> Result<Self, String> {
        match canary.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_".contains(*c)) {
            Some(c) => Err(format!("`{c}` cannot be part of a canary")),
            None => Ok(Self { canary }),
        }
    }

    /// An opaque secret: the vendor's prefix, the canary, 256 random bits.
    pub fn secret(&self, prefix: &str) -> String {
        format!("{prefix}{}{}", self.canary, random::<32>())
    }

    /// Something that is shaped like a JWT. Nobody checks its signature, so the canary is there, in plain sight.
    pub fn jwt(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(&json!({"alg": "HS256", "typ": "JWT"}));
        format!("{header}.{}.{}", encode(claims), self.secret(""))
    }
}

/// `BYTES` random bytes, as URL-safe text.
pub fn random<const BYTES: usize>() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<BYTES>())
}

/// A code that a person can type: `ABCD-EFGH` with as many letters as asked for on each side.
pub fn user_code(left: usize, right: usize) -> String {
    // Consonants and digits that are neither mistaken for each other nor form words.
    let alphabet = b"BCDFGHJKLMNPQRSTVWXZ23456789";
    let letters = random_bytes::<16>().map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]));
    let (left, right) = (&letters[..left], &letters[left..left + right]);
    left.iter().chain(&['-']).chain(right).collect()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn random_bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).unwrap_or_else(|error| panic!("no random bytes: {error}"));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_in_everything() {
        let mint = Mint::new("CANARY".to_owned()).unwrap_or_default();
        assert!(mint.secret("gho_").starts_with("gho_CANARY"));
        let jwt = mint.jwt(&json!({"email": "a@example.org"}));
        let [_, claims, signature] = jwt.split('.').collect::<Vec<_>>()[..] else {
            panic!("not three parts: {jwt}");
        };
        assert!(signature.starts_with("CANARY"));
        assert_eq!(URL_SAFE_NO_PAD.decode(claims).ok(), Some(br#"{"email":"a@example.org"}"#.to_vec()));
        assert!(Mint::new("a b".to_owned()).is_err());
    }

    #[test]
    fn a_user_code_has_the_shape_asked_for() {
        let code = user_code(4, 5);
        assert_eq!((code.len(), code.find('-')), (10, Some(4)), "{code}");
    }
}
