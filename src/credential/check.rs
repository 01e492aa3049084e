//! Checks what a credential holds, for one that comes from a file as a whole. No login and no import leaves one that
//! fails them.

use super::{Credential, Metadata, Secret};

/// The most bytes of a secret. Files and responses that secrets are read from are not larger.
const MAX_SECRET: usize = 1 << 20;
/// The most bytes of a name, an account, a host or a scope.
const MAX_LABEL: usize = 4096;

impl Credential {
    /// Returns what is wrong with a credential and its metadata, without any of their content: a control character, which
    /// would break out of a request header, an environment or a terminal line; or a length that none has. A password or a
    /// field that a program stored may have several lines.
    pub(crate) fn problem(&self, metadata: &Metadata) -> Option<&'static str> {
        let mut labels: Vec<&str> =
            metadata.account.iter().chain(&metadata.host).map(String::as_str).collect();
        labels.extend(metadata.scopes.iter().map(String::as_str));
        // Extra values go only back into the vendor's file, which may have anything in them.
        let (mut secrets, mut texts, mut extra): (Vec<&Secret>, Vec<&Secret>, _) = (vec![], vec![], None);
        match self {
            Self::ApiKey { key: secret } | Self::Token { token: secret } => secrets.push(secret),
            Self::OAuth(oauth) => {
                secrets.push(&oauth.access_token);
                secrets.extend(oauth.refresh_token.iter().chain(&oauth.id_token));
                extra = Some(oauth.extra.values());
            }
            Self::Basic { username, password } => {
                labels.push(username);
                texts.push(password);
            }
            Self::Fields(fields) => {
                labels.extend(fields.keys().map(String::as_str));
                texts.extend(fields.values());
            }
        }
        let acts = |c: char| c.is_control() && !c.is_whitespace();
        if labels.iter().any(|text| text.contains(char::is_control))
            || secrets.iter().any(|secret| secret.expose().contains(char::is_control))
            || texts.iter().any(|secret| secret.expose().contains(acts))
        {
            return Some("it has control characters");
        }
        let mut all = secrets.into_iter().chain(texts).chain(extra.into_iter().flatten());
        let is_too_long = labels.iter().any(|text| text.len() > MAX_LABEL)
            || all.any(|secret| secret.expose().len() > MAX_SECRET);
        is_too_long.then_some("a part of it is longer than any")
    }
}
