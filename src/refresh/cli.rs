//! Refreshing with the vendor's own CLI, in a throwaway container.

use jiff::Timestamp;

use super::{RefreshError, RefreshResult};
use crate::{
    credential::{Credential, Record},
    login::cli::refresh::{CliEnd, CliRefresh},
    vendor_files::Captured,
};

/// Runs the CLI with the credential, and reads the new tokens from its files.
pub(super) async fn run_vendor_cli(refresh: CliRefresh, seen: Record) -> Result<RefreshResult, RefreshError> {
    let address = || Box::new(seen.address.clone());
    let ran = refresh.run(&seen).await.map_err(|error| super::container_error(&seen, error))?;
    let in_doubt = |why| RefreshError::OutcomeUnknown { address: address(), since: Timestamp::now(), why };
    match (ran.captured, ran.ended) {
        (Ok(Some(Captured { credential, metadata, .. })), _) if tokens_changed(&seen, &credential) => {
            let account = metadata.account.clone().or_else(|| seen.metadata.account.clone());
            let host = metadata.host.clone().or_else(|| seen.metadata.host.clone());
            Ok(RefreshResult {
                credential,
                metadata: crate::credential::Metadata { account, host, ..metadata },
            })
        }
        (_, Err(error)) => Err(super::container_error(&seen, error)),
        (Err(error), _) => {
            Err(in_doubt(format!("cannot read the files that the vendor's CLI left: {error}")))
        }
        // It may have sent the token without writing the answer.
        (_, Ok(ended @ (CliEnd::Killed | CliEnd::Lost))) => {
            Err(in_doubt(format!("the vendor's CLI did not end by itself: it {ended}")))
        }
        (Ok(Some(_)), Ok(ended)) => {
            Err(RefreshError::Cli { address: address(), ending: format!("it {ended}") })
        }
        (Ok(None), Ok(ended)) => Err(RefreshError::Refused {
            address: address(),
            why: format!("its CLI {ended} and removed the login from its files"),
        }),
    }
}

/// Whether the CLI wrote new tokens. A new refresh token alone counts: the vendor may have consumed the old one.
fn tokens_changed(seen: &Record, now: &Credential) -> bool {
    match (&seen.credential, now) {
        (Credential::OAuth(before), Credential::OAuth(now)) => {
            let is_rotated = now.refresh_token.is_some() && before.refresh_token != now.refresh_token;
            before.access_token != now.access_token || is_rotated
        }
        _ => false,
    }
}
