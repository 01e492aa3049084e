//! Whether what came back is of another account.

use super::RefreshResult;
use crate::{
    credential::{Credential, OAuth, Record},
    login::oauth::account::Subject,
};

/// The account that was expected, and the other one that was found.
///
/// A person may get another e-mail address: where both identity tokens name their subject, that decides. An access token
/// is not ours to read, so that of one it can only excuse another name.
pub(super) fn other_account(seen: &Record, fresh: &RefreshResult) -> Option<(String, String)> {
    let (before, now) = (oauth(&seen.credential)?, oauth(&fresh.credential)?);
    let names = seen.metadata.account.as_ref().zip(fresh.metadata.account.as_ref());
    let names = names.filter(|(expected, found)| expected != found);
    let named = |(expected, found): (&String, &String)| (expected.clone(), found.clone());
    // One that was only kept says nothing of the new tokens.
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
