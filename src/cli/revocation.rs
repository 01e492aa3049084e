//! Common code of `logout` and `revoke`.

use std::{cell::RefCell, collections::BTreeSet};

use authenticate::{
    LogoutError,
    config::yaml,
    context::{ConfigError, Context},
    credential::Address,
    revoke::{LogoutMode, LogoutOutcome, Revocation, log_out},
};
use serde_json::json;

use super::{output, refresh_first::to_the_end};

/// A run of `logout` or `revoke`.
pub struct RevocationCommand<'a> {
    pub context: &'a Context,
    pub json: bool,
    /// The printed warnings. Each is printed once, not once per credential.
    warned: RefCell<BTreeSet<String>>,
}

impl<'a> RevocationCommand<'a> {
    pub fn new(context: &'a Context, json: bool) -> Result<Self, ConfigError> {
        context.project()?;
        Ok(Self { context, json, warned: RefCell::default() })
    }

    /// Logs out a credential, whose provider was given as `typed`.
    pub fn log_out(&self, typed: &str, address: &Address, mode: LogoutMode) -> anyhow::Result<LogoutOutcome> {
        let registry = self.context.registry();
        match (self.log_out_one(address, mode)?, registry.get(address.provider.as_str())) {
            // A name without a credential and a descriptor is probably mistyped.
            (Err(not_stored @ LogoutError::NotStored { .. }), Err(_)) => match registry.usable(typed) {
                Err(unknown) => Err(ConfigError::from(unknown).into()),
                Ok(_) => Err(not_stored.into()),
            },
            (outcome, _) => Ok(outcome?),
        }
    }

    /// Logs out a credential, and prints warnings about ignored configuration.
    pub fn log_out_one(
        &self,
        address: &Address,
        mode: LogoutMode,
    ) -> anyhow::Result<Result<LogoutOutcome, LogoutError>> {
        let outcome = to_the_end(log_out(self.context, address, mode))?;
        for warning in outcome.iter().flat_map(|outcome| &outcome.ignored_config) {
            if self.warned.borrow_mut().insert(warning.clone()) {
                output::warn(warning);
            }
        }
        Ok(outcome)
    }

    /// Prints the outcome for one credential.
    pub fn print(&self, address: &Address, outcome: &LogoutOutcome) -> anyhow::Result<()> {
        if self.json {
            let mut object = self.to_json(address, outcome);
            object["schema"] = 1.into();
            return Ok(output::json(&object)?);
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
        let at_the_vendor = match &outcome.revocation {
            Revocation::Done => "revoked it at the vendor".to_owned(),
            Revocation::NotTried => "it was not revoked at the vendor".to_owned(),
            Revocation::NotOffered => match self.key_url(address) {
                Some(url) => format!("it stays valid at the vendor until it is removed at {url}"),
                None => "it stays valid at the vendor until it expires or is removed there".to_owned(),
            },
            Revocation::Wrong(problems) => {
                output::warn(&format!(
                    "{address} was NOT revoked at the vendor, where it stays valid: {}",
                    yaml::join(problems)
                ));
                "it was not revoked at the vendor".to_owned()
            }
            Revocation::Unreadable(error) => {
                output::warn(&format!(
                    "{address} could not be read, and was NOT revoked at the vendor, where it stays valid: {error}"
                ));
                "it was not revoked at the vendor".to_owned()
            }
            Revocation::Failed(error) => {
                output::warn(&format!(
                    "{address} was NOT revoked at the vendor, where it stays valid: {error}"
                ));
                match error.is_refusal() {
                    true => "the vendor refused to revoke it".to_owned(),
                    false => "it was not revoked at the vendor".to_owned(),
                }
            }
            Revocation::Partial { revoked, kept, source } => {
                output::warn(&format!(
                    "the {kept} of {address} was NOT revoked at the vendor, where it stays valid: {source}"
                ));
                format!("the vendor revoked only its {revoked}")
            }
        };
        output::note(&format!("removed {address} from this machine; {at_the_vendor}"));
    }

    /// The page at which the provider's API keys are managed.
    pub fn key_url(&self, address: &Address) -> Option<&str> {
        let provider = self.context.registry().get(address.provider.as_str()).ok()?;
        provider.api_key.as_ref()?.key_url.as_deref()
    }

    /// The outcome as JSON.
    pub fn to_json(&self, address: &Address, outcome: &LogoutOutcome) -> serde_json::Value {
        let (revocation, error) = match &outcome.revocation {
            Revocation::Done => ("done", None),
            Revocation::NotOffered => ("not_offered", None),
            Revocation::NotTried => ("not_tried", None),
            Revocation::Wrong(problems) => ("wrong_descriptor", Some(yaml::join(problems))),
            Revocation::Unreadable(error) => ("unreadable", Some(error.to_string())),
            Revocation::Failed(error) => ("failed", Some(error.to_string())),
            Revocation::Partial { kept, source, .. } => {
                ("partial", Some(format!("the {kept} was not revoked: {source}")))
            }
        };
        json!({
            "provider": address.provider.as_str(),
            "set": address.set.as_str(),
            "profile": address.profile.as_str(),
            "removed": outcome.removal.is_some(),
            "erased": outcome.removal.is_some_and(|removal| removal.erased),
            "revocation": revocation,
            "revocation_error": error,
        })
    }
}
