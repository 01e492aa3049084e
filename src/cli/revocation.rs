//! What `logout` and `revoke` have in common.

use std::{cell::RefCell, collections::BTreeSet};

use authenticate::{
    Error,
    config::{Paths, Project, yaml},
    credential::{Address, Name},
    provider::Registry,
    resolve::request::address_of,
    revoke::{LogoutMode, LogoutOutcome, Revocation, log_out},
};
use serde_json::json;

use super::{output, refresh_first::to_the_end, target::Target};

pub struct Job<'a> {
    pub paths: &'a Paths,
    pub project: Project,
    registry: Registry,
    pub json: bool,
    /// What was said once is not said of each credential.
    warned: RefCell<BTreeSet<String>>,
}

impl<'a> Job<'a> {
    pub fn new(paths: &'a Paths, project: Option<&Name>, json: bool) -> Result<Self, Error> {
        let project = match project {
            Some(name) => Project::load(&paths.projects(), name).map_err(Error::Project)?,
            None => Project::default(),
        };
        Ok(Self { paths, project, registry: Registry::load_all(paths), json, warned: RefCell::default() })
    }

    /// A credential outlives its descriptor: what is stored can be removed under its own name.
    pub fn address(&self, set: Name, target: &Target) -> Result<Address, Error> {
        address_of(&self.registry, set, &target.provider, target.profile.as_ref())
    }

    pub fn leave(&self, asked: &str, address: &Address, how: LogoutMode) -> anyhow::Result<LogoutOutcome> {
        match (self.leave_one(address, how)?, self.registry.get(address.provider.as_str())) {
            // A name that is nothing's is more likely mistyped.
            (Err(none @ Error::NoCredential { .. }), Err(_)) => {
                Err(self.registry.usable(asked).err().map_or(none, Error::from).into())
            }
            (left, _) => Ok(left?),
        }
    }

    pub fn leave_one(
        &self,
        address: &Address,
        how: LogoutMode,
    ) -> anyhow::Result<Result<LogoutOutcome, Error>> {
        let provider = self.registry.usable(address.provider.as_str());
        let left = to_the_end(log_out(self.paths, None, provider, &self.project, address, how))?;
        for why in left.iter().flat_map(|left| &left.unread) {
            if self.warned.borrow_mut().insert(why.clone()) {
                output::warn(why);
            }
        }
        Ok(left)
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
        let provider = self.registry.get(address.provider.as_str()).ok()?;
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
