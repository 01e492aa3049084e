//! `authenticate revoke`

use authenticate::{
    LogoutError,
    context::Context,
    credential::Name,
    revoke::{LogoutMode, Revocation},
};

use super::{failure::Usage, revocation::RevocationCommand, target::Target};

#[derive(clap::Args)]
pub struct Args {
    /// The project, whose credential set is used
    project: Name,
    /// The provider and optional profile [default profile: default]
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    provider: Target,
    /// Use this credential set [default: the project's]
    #[arg(long)]
    set: Option<Name>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn project(&self) -> &Name {
        &self.project
    }
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let command = RevocationCommand::new(context, args.json)?;
    let target = &args.provider;
    let address = context.address(args.set.as_ref(), &target.provider, target.profile.as_ref())?;
    let outcome = command.log_out(&target.provider, &address, LogoutMode::Revoke)?;
    if args.json || outcome.removal.is_some() {
        command.print(&address, &outcome)?;
    }
    match outcome.revocation {
        Revocation::Failed(error) => {
            Err(LogoutError::NotRevoked { address: Box::new(address), source: error }.into())
        }
        Revocation::Partial { revoked, kept, source } => {
            Err(LogoutError::RevokedInPart { address: Box::new(address), revoked, kept, source }.into())
        }
        Revocation::NotOffered | Revocation::NotTried | Revocation::Wrong(_) | Revocation::Unreadable(_) => {
            let message = format!("{address} cannot be revoked from here, and is kept");
            let page = command.key_url(&address).unwrap_or("the vendor");
            let hint = format!(
                "remove it at {page}, then here with: authenticate logout default {}",
                address.arguments()
            );
            Err(Usage::new(message).hint(hint).into())
        }
        Revocation::Done => Ok(()),
    }
}
