//! `authenticate revoke`

use authenticate::{
    Error,
    lifecycle::leave::{Leave, Revocation},
    paths::Paths,
};

use super::{failure::Usage, leave::Job, target};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stored: target::StoredArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
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
