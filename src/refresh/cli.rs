//! Refreshing with the vendor's own CLI, in a throwaway container.

use super::{RefreshError, RefreshResult};
use crate::{
    context::Context,
    credential::{Credential, Record},
    login::{
        LoginOptions,
        cli::{
            ContainerLogin,
            refresh::{CliEnd, CliRefresh},
        },
    },
    provider::Provider,
    vendor_files::Captured,
};

/// Connects to the engine and builds the image, so that the CLI can be run.
pub(super) async fn prepare(
    context: &Context,
    provider: &Provider,
    seen: &Record,
) -> Result<CliRefresh, RefreshError> {
    let project = context.project()?.with_values()?;
    let login = ContainerLogin {
        context,
        provider: &provider.with_values()?,
        project: &project,
        address: &seen.address,
        options: &LoginOptions::default(),
    };
    login.prepare_refresh().await.map_err(|error| super::container_error(seen, error))
}

/// Runs the CLI with the credential, and reads the new tokens from its files.
pub(super) async fn run_vendor_cli(refresh: CliRefresh, seen: Record) -> Result<RefreshResult, RefreshError> {
    let address = || Box::new(seen.address.clone());
    let ran = refresh.run(&seen).await.map_err(|error| super::container_error(&seen, error))?;
    let in_doubt = |why| RefreshError::OutcomeUnknown { address: address(), since: crate::clock::now(), why };
    match (ran.captured, ran.ended) {
        (Ok(Some(Captured { credential, metadata, provider: None, .. })), _)
            if tokens_changed(&seen, &credential) =>
        {
            let account = metadata.account.clone().or_else(|| seen.metadata.account.clone());
            let host = metadata.host.clone().or_else(|| seen.metadata.host.clone());
            Ok(RefreshResult {
                credential,
                metadata: crate::credential::Metadata { account, host, ..metadata },
                problem: None,
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
