//! Proof Key for Code Exchange, method S256 (RFC 7636), and the random values of a login.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::OAuthError;
use crate::credential::Secret;

/// The code challenge method (RFC 7636 section 4.3).
pub const METHOD: &str = "S256";

/// Returns 32 random bytes as base64url, 43 characters: a code verifier (RFC 7636 section 4.1), or a `state` (RFC 6749
/// section 10.12).
///
/// # Errors
/// [`OAuthError::Setup`] when the system gives no random bytes.
pub fn random_text() -> Result<Secret, OAuthError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| OAuthError::Setup(format!("no random bytes from the system: {error}")))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// Returns the challenge of a code verifier.
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_of_the_rfcs_verifier_is_the_rfcs_challenge() {
        // RFC 7636 appendix B.
        assert_eq!(
            challenge(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn random_verifiers_are_long_enough_and_differ() {
        let [one, other] = [random_text(), random_text()].map(|text| text.expect("random bytes"));
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one, other);
    }
}
