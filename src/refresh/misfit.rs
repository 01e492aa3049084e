//! Detecting tokens that do not fit the login that they renew.

use super::RefreshResult;
use crate::{
    credential::{Credential, OAuth, Record},
    login::oauth::account::Subject,
    oauth::{TokenOrigin, login_parameters::is_right},
};

/// Returns the reason why new tokens must not simply replace the old ones, if there is one.
pub(super) fn misfit(seen: &Record, fresh: &RefreshResult) -> Option<String> {
    if let Some(problem) = fresh.problem {
        return Some(format!("the response cannot be used as it is: {problem}"));
    }
    if let Some((expected, found)) = other_account(seen, fresh) {
        return Some(format!("they are of another account, {found} in place of {expected}"));
    }
    let missing = missing_rights(seen, fresh);
    (!missing.is_empty()).then(|| format!("they lack the scopes {}", missing.join(", ")))
}

/// Returns the rights of a login that its new tokens lack.
fn missing_rights(seen: &Record, fresh: &RefreshResult) -> Vec<String> {
    // Scopes that the server never named were requested, but perhaps not granted.
    let are_assumed =
        oauth(&seen.credential).and_then(TokenOrigin::of).is_some_and(|origin| !origin.are_scopes_named);
    let is_missing = |scope: &&String| is_right(scope) && !fresh.metadata.scopes.contains(scope);
    seen.metadata.scopes.iter().filter(|_| !are_assumed).filter(is_missing).cloned().collect()
}

/// Returns the expected and the found account, if they differ.
///
/// A person's e-mail address may change, so the subject decides if both identity tokens have one. Access tokens are opaque
/// to clients: an equal subject in them only excuses different names.
fn other_account(seen: &Record, fresh: &RefreshResult) -> Option<(String, String)> {
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
