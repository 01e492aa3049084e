//! `authenticate revoke`

use authenticate::{
    OAuthError,
    context::Context,
    credential::Name,
    revoke::{LogoutMode, Revocation},
};

use super::{
    exit,
    failure::{Failure, chain},
    hints::Hints,
    revocation::RevocationCommand,
    target::Target,
};

#[derive(clap::Args)]
pub struct Args {
    /// The project, whose credential set is used
    pub project: Name,
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

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let mut command = RevocationCommand::new(context, args.json)?;
    let target = &args.provider;
    let address = context.address(args.set.as_ref(), &target.provider, target.profile.as_ref())?;
    let outcome = command.log_out(&target.provider, &address, LogoutMode::Revoke)?;
    if args.json || outcome.removal.is_some() {
        command.print(&address, &outcome)?;
    }
    match outcome.revocation {
        Revocation::Failed(error) => Err(kept(format!("{address} was not revoked, and is kept"), error)),
        Revocation::Partial { revoked, kept: valid, source } => {
            let but = format!("its {revoked} was revoked, its {valid} was NOT");
            Err(kept(format!("{address} was revoked in part, and is kept: {but}"), source))
        }
        Revocation::NotOffered | Revocation::NotTried | Revocation::Wrong(_) | Revocation::Unreadable(_) => {
            let message = format!("{address} cannot be revoked from here, and is kept");
            let page = command.key_url(&address).unwrap_or("the vendor");
            let words = Hints(context).arguments(&address);
            let hint = format!("remove it at {page}, then here with: authenticate logout {words}");
            Err(Failure::usage(message).hint(hint).into())
        }
        Revocation::Done => Ok(()),
    }
}

/// The error for a credential that the vendor did not revoke.
fn kept(message: String, because: OAuthError) -> anyhow::Error {
    let code = if because.is_refusal() { exit::LOGIN_FAILED } else { exit::code(because.kind()) };
    let message = format!("{message}: {}", chain(&because));
    let hint = "`authenticate logout` removes it from this machine anyway; at the vendor it stays valid until it expires or is removed there";
    Failure::usage(message).hint(hint).code(code).into()
}
