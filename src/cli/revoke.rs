//! `authenticate revoke`

use authenticate::{
    OAuthError,
    context::Context,
    credential::{Address, Name},
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
    let words = Hints(context).arguments(&address);
    match outcome.revocation {
        Revocation::Failed(error) => {
            Err(kept(format!("{address} was not revoked, and is kept"), error, &words))
        }
        Revocation::Partial { revoked, kept: valid, source } => {
            let but = format!("its {revoked} was revoked, its {valid} was NOT");
            Err(kept(format!("{address} was revoked in part, and is kept: {but}"), source, &words))
        }
        Revocation::NotOffered(kind) => {
            let page = command.key_url(&address, kind).unwrap_or("the vendor");
            Err(not_revocable(&address, &format!("remove it at {page}"), &words))
        }
        Revocation::OtherServer { described, issuer } => {
            let remedy = format!(
                "its descriptor's revoke.url is at {described}, and {issuer} issued it: remove it at the vendor"
            );
            Err(not_revocable(&address, &remedy, &words))
        }
        Revocation::NotTried => Err(not_revocable(&address, "log out with the vendor's own tool", &words)),
        Revocation::Wrong(_) | Revocation::Unreadable(_) => {
            Err(not_revocable(&address, "remove it at the vendor", &words))
        }
        Revocation::Done => Ok(()),
    }
}

/// The error for a credential that we cannot have revoked.
fn not_revocable(address: &Address, remedy: &str, words: &str) -> anyhow::Error {
    let message = format!("{address} cannot be revoked from here, and is kept");
    Failure::usage(message).hint(format!("{remedy}, then here with: authenticate logout {words}")).into()
}

/// The error for a credential that the vendor did not revoke.
fn kept(message: String, because: OAuthError, words: &str) -> anyhow::Error {
    let code = if because.is_refusal() { exit::LOGIN_FAILED } else { exit::code(because.kind()) };
    let message = format!("{message}: {}", chain(&because));
    let hint = format!(
        "remove it from this machine anyway with: authenticate logout {words}; at the vendor it stays valid until it expires or is removed there"
    );
    Failure::usage(message).hint(hint).code(code).into()
}
