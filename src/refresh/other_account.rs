//! Detecting tokens of another account.

use super::RefreshResult;
use crate::{
    credential::{Credential, OAuth, Record},
    login::oauth::account::Subject,
};

/// Returns the expected and the found account, if they differ.
///
/// A person's e-mail address may change, so the subject decides if both identity tokens have one. Access tokens are opaque
/// to clients: an equal subject in them only excuses different names.
pub(super) fn other_account(seen: &Record, fresh: &RefreshResult) -> Option<(String, String)> {
    let (before, now) = (oauth(&seen.credential)?, oauth(&fresh.credential)?);
    let names = seen.metadata.account.as_ref().zip(fresh.metadata.account.as_ref());
    // A vendor may name an account by an e-mail address now and by an id before, which is then another value of the login.
    let is_known = |name: &String| now.extra.values().any(|value| value.expose() == name);
    let names = names.filter(|(expected, found)| expected != found && !is_known(expected));
    let named = |(expected, found): (&String, &String)| (expected.clone(), found.clone());
    // An identity token that was kept from before says nothing about the new tokens.
    let id_tokens = before.id_token.as_ref().zip(now.id_token.as_ref()).filter(|(before, now)| before != now);
    match id_tokens.and_then(|(before, now)| Subject::of(before).zip(Subject::of(now))) {
        Some((before, now)) if before == now => None,
        Some((before, now)) => Some(names.map_or((before.name, now.name), named)),
        None if Subject::of(&before.access_token)
            .is_some_and(|before| Subject::of(&now.access_token) == Some(before)) =>
        {
            None
        }
        None => names.map(named),
    }
}

fn oauth(credential: &Credential) -> Option<&OAuth> {
    match credential {
        Credential::OAuth(oauth) => Some(oauth),
        _ => None,
    }
}
