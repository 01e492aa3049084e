//! Common code of `logout` and `revoke`.

use std::fmt::Display;

use authenticate::{
    LogoutError,
    config::yaml,
    context::{ConfigError, Context},
    credential::{Address, Kind},
    revoke::{LogoutMode, LogoutOutcome, Revocation, log_out},
    ui::Event,
};
use serde_json::json;

use super::{failure::Failure, output, signals::Signals};

/// A run of `logout` or `revoke`.
pub struct RevocationCommand<'a> {
    pub context: &'a Context,
    pub json: bool,
    pub signals: Signals,
}

impl<'a> RevocationCommand<'a> {
    pub fn new(context: &'a Context, json: bool) -> anyhow::Result<Self> {
        context.project()?;
        Ok(Self { context, json, signals: Signals::receive()? })
    }

    /// An error as it is reported.
    pub fn failure(&self, error: anyhow::Error) -> Failure {
        Failure::of(error, Some(self.context))
    }

    /// Logs out a credential, whose provider was given as `typed`.
    pub fn log_out(
        &mut self,
        typed: &str,
        address: &Address,
        mode: LogoutMode,
    ) -> anyhow::Result<LogoutOutcome> {
        let outcome = self.log_out_one(address, mode);
        let registry = self.context.registry();
        // A name without a credential and a descriptor is probably mistyped.
        if outcome.as_ref().is_err_and(is_not_stored) && registry.get(address.provider.as_str()).is_err() {
            registry.usable(typed).map_err(ConfigError::from)?;
        }
        outcome
    }

    /// Logs out a credential, and prints warnings about ignored configuration.
    pub fn log_out_one(&mut self, address: &Address, mode: LogoutMode) -> anyhow::Result<LogoutOutcome> {
        let outcome = self.signals.finish(log_out(self.context, address, mode))?;
        outcome.ignored_config.iter().for_each(|why| self.context.ui().show(Event::IgnoredConfig(why)));
        Ok(outcome)
    }

    /// Prints the outcome for one credential.
    pub fn print(&self, address: &Address, outcome: &LogoutOutcome) -> anyhow::Result<()> {
        if self.json {
            return Ok(output::json(&to_json(address, Some(outcome)))?);
        }
        self.describe(address, outcome);
        Ok(())
    }

    /// Prints the outcome for people.
    pub fn describe(&self, address: &Address, outcome: &LogoutOutcome) {
        if outcome.removal.is_some_and(|removal| !removal.erased) {
            output::warn(
                "its bytes stay in the database's log while another process reads it; the next change erases them",
            );
        }
        let not_revoked = |subject: &str, cause: &dyn Display| {
            output::warn(&format!("{subject} was NOT revoked at the vendor, where it stays valid: {cause}"));
            "it was not revoked at the vendor".to_owned()
        };
        let at_the_vendor = match &outcome.revocation {
            Revocation::Done => "revoked it at the vendor".to_owned(),
            Revocation::NotTried => "it was not revoked at the vendor".to_owned(),
            Revocation::NotOffered(kind) => match self.key_url(address, *kind) {
                Some(url) => format!("it stays valid at the vendor until it is removed at {url}"),
                None => "it stays valid at the vendor until it expires or is removed there".to_owned(),
            },
            Revocation::OtherServer { described, issuer } => not_revoked(
                &address.to_string(),
                &format!(
                    "its descriptor's revoke.url is at {described}, and {issuer} issued the tokens; remove the login at the vendor"
                ),
            ),
            Revocation::Wrong(problems) => not_revoked(&address.to_string(), &yaml::join(problems)),
            Revocation::Unreadable(error) => not_revoked(&format!("{address} could not be read, and"), error),
            Revocation::Failed(error) => {
                let not_revoked = not_revoked(&address.to_string(), error);
                if error.is_refusal() { "the vendor refused to revoke it".to_owned() } else { not_revoked }
            }
            Revocation::Partial { revoked, kept, source } => {
                not_revoked(&format!("the {kept} of {address}"), source);
                format!("the vendor revoked only its {revoked}")
            }
        };
        output::note(&format!("removed {address} from this machine; {at_the_vendor}"));
    }

    /// The page at which an API key can be removed; `None` for another kind of credential.
    pub fn key_url(&self, address: &Address, kind: Kind) -> Option<&str> {
        if kind != Kind::ApiKey {
            return None;
        }
        let provider = self.context.registry().get(address.provider.as_str()).ok()?;
        provider.api_key.as_ref()?.key_url.as_deref()
    }
}

/// Whether an error says that nothing is stored at the address.
pub fn is_not_stored(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LogoutError::NotStored { .. }))
}

/// The outcome for one credential as JSON; `None` for a failure.
pub fn to_json(address: &Address, outcome: Option<&LogoutOutcome>) -> serde_json::Value {
    let removal = outcome.and_then(|outcome| outcome.removal);
    let (revocation, error) = match outcome.map(|outcome| &outcome.revocation) {
        None => (None, None),
        Some(Revocation::Done) => (Some("done"), None),
        Some(Revocation::NotOffered(_)) => (Some("not_offered"), None),
        Some(Revocation::NotTried) => (Some("not_tried"), None),
        Some(Revocation::OtherServer { described, issuer }) => {
            (Some("other_server"), Some(format!("revoke.url is at {described}, not at {issuer}")))
        }
        Some(Revocation::Wrong(problems)) => (Some("wrong_descriptor"), Some(yaml::join(problems))),
        Some(Revocation::Unreadable(error)) => (Some("unreadable"), Some(error.to_string())),
        Some(Revocation::Failed(error)) => (Some("failed"), Some(error.to_string())),
        Some(Revocation::Partial { kept, source, .. }) => {
            (Some("partial"), Some(format!("the {kept} was not revoked: {source}")))
        }
    };
    json!({
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "removed": removal.is_some(),
        "erased": removal.is_some_and(|removal| removal.erased),
        "revocation": revocation,
        "revocation_error": error,
    })
}
