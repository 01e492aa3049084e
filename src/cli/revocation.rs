//! The common part of `logout` and `revoke`.

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
pub struct Job<'a> {
    pub context: &'a Context,
    pub json: bool,
    /// Warnings that were printed: each is printed once, not for each credential.
    warned: RefCell<BTreeSet<String>>,
}

impl<'a> Job<'a> {
    pub fn new(context: &'a Context, json: bool) -> Result<Self, ConfigError> {
        context.project()?;
        Ok(Self { context, json, warned: RefCell::default() })
    }

    /// Logs out the credential that was typed as `typed`.
    pub fn log_out(&self, typed: &str, address: &Address, mode: LogoutMode) -> anyhow::Result<LogoutOutcome> {
        let registry = self.context.registry();
        match (self.log_out_one(address, mode)?, registry.get(address.provider.as_str())) {
            // A name that nothing has is probably mistyped.
            (Err(none @ LogoutError::NotStored { .. }), Err(_)) => match registry.usable(typed) {
                Err(unknown) => Err(ConfigError::from(unknown).into()),
                Ok(_) => Err(none.into()),
            },
            (outcome, _) => Ok(outcome?),
        }
    }

    pub fn log_out_one(
        &self,
        address: &Address,
        mode: LogoutMode,
    ) -> anyhow::Result<Result<LogoutOutcome, LogoutError>> {
        let outcome = to_the_end(log_out(self.context, address, mode))?;
        for why in outcome.iter().flat_map(|outcome| &outcome.ignored_config) {
            if self.warned.borrow_mut().insert(why.clone()) {
                output::warn(why);
            }
        }
        Ok(outcome)
    }

    pub fn say(&self, address: &Address, left: &LogoutOutcome) -> anyhow::Result<()> {
        if self.json {
            let mut object = self.to_json(address, left);
            object["schema"] = 1.into();
            return Ok(output::json(&object)?);
        }
        self.tell(address, left);
        Ok(())
    }

    pub fn tell(&self, address: &Address, left: &LogoutOutcome) {
        if left.removal.is_some_and(|removal| !removal.erased) {
            output::warn(
                "its bytes are still in the database's log, because another process reads it; the next change removes them",
            );
        }
        let at_the_vendor = match &left.revocation {
            Revocation::Done => "revoked it at the vendor".to_owned(),
            Revocation::NotTried => "it was not revoked at the vendor".to_owned(),
            Revocation::NotOffered => match self.key_url(address) {
                Some(url) => format!("it stays valid at the vendor until it is removed at {url}"),
                None => "it stays valid at the vendor until it ends or is removed there".to_owned(),
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
                format!("of its tokens the vendor has revoked the {revoked} alone")
            }
        };
        output::note(&format!("removed {address} from this machine; {at_the_vendor}"));
    }

    pub fn key_url(&self, address: &Address) -> Option<&str> {
        let provider = self.context.registry().get(address.provider.as_str()).ok()?;
        provider.api_key.as_ref()?.key_url.as_deref()
    }

    pub fn to_json(&self, address: &Address, left: &LogoutOutcome) -> serde_json::Value {
        let (revocation, error) = match &left.revocation {
            Revocation::Done => ("done", None),
            Revocation::NotOffered => ("not_offered", None),
            Revocation::NotTried => ("not_asked", None),
            Revocation::Wrong(problems) => ("wrong_descriptor", Some(yaml::join(problems))),
            Revocation::Unreadable(error) => ("unreadable", Some(error.to_string())),
            Revocation::Failed(error) => ("failed", Some(error.to_string())),
            Revocation::Partial { kept, source, .. } => {
                ("in_part", Some(format!("the {kept} was not revoked: {source}")))
            }
        };
        json!({
            "provider": address.provider.as_str(),
            "set": address.set.as_str(),
            "profile": address.profile.as_str(),
            "removed": left.removal.is_some(),
            "erased": left.removal.is_some_and(|removal| removal.erased),
            "revocation": revocation,
            "revocation_error": error,
        })
    }
}
