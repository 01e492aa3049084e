//! Renewing by the vendor's own CLI, in a throwaway container.

use jiff::Timestamp;

use super::{Fresh, RefreshError};
use crate::{
    credential::{Credential, Record},
    login::cli::refresh::{Ended, Renewal},
    vendor_files::Captured,
};

/// Gives the CLI the credential, runs its command, and takes what it left.
pub(super) async fn exchange(renewal: Renewal, seen: Record) -> Result<Fresh, RefreshError> {
    let address = || Box::new(seen.address.clone());
    let ran = renewal.run(&seen).await.map_err(|error| super::container(&seen, error))?;
    let in_doubt = |why| RefreshError::OutcomeUnknown { address: address(), since: Timestamp::now(), why };
    match (ran.captured, ran.ended) {
        (Ok(Some(Captured { credential, metadata, .. })), _) if is_renewed(&seen, &credential) => {
            let account = metadata.account.clone().or_else(|| seen.metadata.account.clone());
            let host = metadata.host.clone().or_else(|| seen.metadata.host.clone());
            Ok(Fresh { credential, metadata: crate::credential::Metadata { account, host, ..metadata } })
        }
        (_, Err(error)) => Err(super::container(&seen, error)),
        (Err(error), _) => Err(in_doubt(format!("what the vendor's CLI left cannot be read: {error}"))),
        // It may have sent the token and not have come to writing the answer.
        (_, Ok(ended @ (Ended::Killed | Ended::Lost))) => {
            Err(in_doubt(format!("the vendor's CLI did not end by itself: it {ended}")))
        }
        (Ok(Some(_)), Ok(ended)) => {
            Err(RefreshError::Cli { address: address(), ending: format!("it {ended}") })
        }
        (Ok(None), Ok(ended)) => Err(RefreshError::Refused {
            address: address(),
            why: format!("its CLI {ended} and took the login out of its files"),
        }),
    }
}

/// Another refresh token alone counts, too: the one that was sent may be spent.
fn is_renewed(seen: &Record, now: &Credential) -> bool {
    match (&seen.credential, now) {
        (Credential::OAuth(before), Credential::OAuth(now)) => {
            let is_rotated = now.refresh_token.is_some() && before.refresh_token != now.refresh_token;
            before.access_token != now.access_token || is_rotated
        }
        _ => false,
    }
}
