//! `authenticate logout` and `authenticate revoke`

use authenticate::{
    Error,
    lifecycle::leave::{Leave, Left, Revocation, leave},
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::Registry,
    store::{Listing, Store},
    yaml,
};
use serde_json::json;

use super::{
    alive::to_the_end,
    failure::Usage,
    output,
    target::{self, Target},
};

#[derive(clap::Args)]
pub struct LogoutArgs {
    /// The project
    #[arg(required_unless_present = "all")]
    project: Option<Name>,
    /// The provider, and the profile if not the default one
    #[arg(value_name = "PROVIDER[:PROFILE]", required_unless_present = "all", conflicts_with = "all")]
    provider: Option<Target>,
    /// Remove everything: of the project's credential set, or without a project of all sets
    #[arg(long)]
    all: bool,
    /// Only remove it here; it stays valid at the vendor
    #[arg(long)]
    no_revoke: bool,
    /// The credential set, in place of the project's
    #[arg(long)]
    set: Option<Name>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    stored: target::StoredArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn logout(paths: &Paths, args: LogoutArgs) -> anyhow::Result<()> {
    let job = Job::new(paths, args.project.as_ref(), args.json)?;
    let how = if args.no_revoke { Leave::Forget } else { Leave::Logout };
    let set = match (args.set, &args.project) {
        (Some(set), _) => Some(set),
        (None, Some(_)) => Some(job.project.set()),
        (None, None) => None,
    };
    let Some(target) = args.provider else {
        return job.all(set.as_ref(), how);
    };
    let address = job.address(set.unwrap_or_else(Name::default_name), &target)?;
    let left = job.leave(&target.provider, &address, how)?;
    job.say(&address, &left)
}

pub fn revoke(paths: &Paths, args: RevokeArgs) -> anyhow::Result<()> {
    let job = Job::new(paths, Some(&args.stored.project), args.json)?;
    let target = &args.stored.provider;
    let address = job.address(args.stored.set(paths)?, target)?;
    let left = job.leave(&target.provider, &address, Leave::Revoke)?;
    if args.json || left.removal.is_some() {
        job.say(&address, &left)?;
    }
    match left.revocation {
        Revocation::Failed(error) => {
            Err(Error::NotRevoked { address: Box::new(address), source: error }.into())
        }
        Revocation::NotOffered | Revocation::NotAsked | Revocation::Wrong(_) | Revocation::Unreadable(_) => {
            let message = format!("{address} cannot be revoked from here, and is kept");
            let hint = match job.key_url(&address) {
                Some(url) => format!("remove it at {url}, then here with: authenticate logout"),
                None => "remove it at the vendor, then here with: authenticate logout".to_owned(),
            };
            Err(Usage::new(message).hint(hint).into())
        }
        Revocation::Done => Ok(()),
    }
}

struct Job<'a> {
    paths: &'a Paths,
    project: Project,
    registry: Registry,
    json: bool,
}

impl<'a> Job<'a> {
    fn new(paths: &'a Paths, project: Option<&Name>, json: bool) -> Result<Self, Error> {
        let project = match project {
            Some(name) => Project::load(&paths.projects(), name).map_err(Error::Project)?,
            None => Project::default(),
        };
        Ok(Self { paths, project, registry: Registry::load(Some(&paths.providers())), json })
    }

    /// A credential outlives its descriptor: what is stored can be removed under its own name.
    fn address(&self, set: Name, target: &Target) -> Result<Address, Error> {
        let provider: Name = match self.registry.get(&target.provider) {
            Ok(known) => known.name.parse()?,
            Err(unknown) => target.provider.parse().map_err(|_| unknown)?,
        };
        Ok(Address { set, provider, profile: target.profile.clone().unwrap_or_else(Name::default_name) })
    }

    fn leave(&self, asked: &str, address: &Address, how: Leave) -> anyhow::Result<Left> {
        let provider = self.registry.sound(address.provider.as_str());
        let left = to_the_end(leave(self.paths, None, provider, &self.project, address, how))?;
        match (left, self.registry.get(address.provider.as_str())) {
            // A name that is nothing's is more likely mistyped.
            (Err(none @ Error::NoCredential { .. }), Err(_)) => {
                Err(self.registry.sound(asked).err().map_or(none, Error::from).into())
            }
            (left, _) => Ok(left?),
        }
    }

    fn all(&self, set: Option<&Name>, how: Leave) -> anyhow::Result<()> {
        let Listing { credentials, unreadable } =
            match Store::open_existing(self.paths).map_err(Error::from)? {
                Some(store) => store.listing(set).map_err(Error::from)?,
                None => Listing::default(),
            };
        let (named, nameless): (Vec<_>, Vec<_>) =
            unreadable.into_iter().partition(|row| row.address.is_some());
        let addresses = credentials.into_iter().map(|credential| credential.address);
        let mut left = Vec::new();
        for address in addresses.chain(named.into_iter().filter_map(|row| row.address)) {
            match self.leave(address.provider.as_str(), &address, how) {
                Ok(done) => left.push((address, done)),
                Err(error) => {
                    let gone = matches!(
                        error.downcast_ref(),
                        Some(Error::NoCredential { .. } | Error::UnknownProvider(_))
                    );
                    if !gone {
                        return Err(error);
                    }
                }
            }
        }
        if !nameless.is_empty() {
            let mut store = Store::open(self.paths).map_err(Error::from)?;
            for row in &nameless {
                store.remove_unreadable(row).map_err(Error::from)?;
            }
        }
        if self.json {
            let credentials: Vec<_> =
                left.iter().map(|(address, left)| self.to_json(address, left)).collect();
            let rows: Vec<_> = nameless.iter().map(|row| json!({"row": row.row, "removed": true})).collect();
            return Ok(output::json(&json!({"schema": 1, "credentials": credentials, "unreadable": rows}))?);
        }
        if left.is_empty() && nameless.is_empty() {
            output::note("nothing is stored there");
        }
        left.iter().for_each(|(address, left)| self.tell(address, left));
        for row in &nameless {
            let row = &row.row;
            output::note(&format!(
                "removed what was stored for {row}, and could not be read, from this machine"
            ));
        }
        Ok(())
    }

    fn say(&self, address: &Address, left: &Left) -> anyhow::Result<()> {
        if self.json {
            let mut object = self.to_json(address, left);
            object["schema"] = 1.into();
            return Ok(output::json(&object)?);
        }
        self.tell(address, left);
        Ok(())
    }

    fn tell(&self, address: &Address, left: &Left) {
        if left.removal.is_some_and(|removal| !removal.erased) {
            output::warn(
                "its bytes are still in the database's log, because another process reads it; the next change removes them",
            );
        }
        let at_the_vendor = match &left.revocation {
            Revocation::Done => "revoked it at the vendor".to_owned(),
            Revocation::NotAsked => "it was not revoked at the vendor".to_owned(),
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
        };
        output::note(&format!("removed {address} from this machine; {at_the_vendor}"));
    }

    fn key_url(&self, address: &Address) -> Option<&str> {
        let provider = self.registry.get(address.provider.as_str()).ok()?;
        provider.api_key.as_ref()?.key_url.as_deref()
    }

    fn to_json(&self, address: &Address, left: &Left) -> serde_json::Value {
        let (revocation, error) = match &left.revocation {
            Revocation::Done => ("done", None),
            Revocation::NotOffered => ("not_offered", None),
            Revocation::NotAsked => ("not_asked", None),
            Revocation::Wrong(problems) => ("wrong_descriptor", Some(yaml::join(problems))),
            Revocation::Unreadable(error) => ("unreadable", Some(error.to_string())),
            Revocation::Failed(error) => ("failed", Some(error.to_string())),
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
