//! `authenticate import`

use std::path::{Path, PathBuf};

use authenticate::{
    context::Context,
    credential::Name,
    login::import::{Import, ImportOptions, Imported, RemovedFrom},
    vendor_files::Removed,
};
use serde_json::json;

use super::{
    failure::Failure,
    output,
    target::{Target, spelled},
};

#[derive(clap::Args)]
#[command(override_usage = "authenticate import [OPTIONS] [PROJECT] <PROVIDER[:PROFILE]>")]
pub struct Args {
    /// The provider and optional profile, after an optional project whose credential set is used [default set: default]
    #[arg(value_name = "[PROJECT] PROVIDER[:PROFILE]", required = true, num_args = 1..=2)]
    words: Vec<Target>,
    /// Import from this directory [default: where the vendor's own tool keeps its login]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Move the login: remove it from the vendor's files, so that only `authenticate` refreshes it
    #[arg(long = "move")]
    take_over: bool,
    /// Store into this credential set [default: the project's]
    #[arg(long)]
    set: Option<Name>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// The project, if there are two words.
    pub fn project(&self) -> Option<Name> {
        match self.words.as_slice() {
            [project, _] => project.provider.parse().ok(),
            _ => None,
        }
    }
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let target = match args.words.as_slice() {
        [project, target] if project.profile.is_none() => {
            project.provider.parse::<Name>()?;
            target
        }
        [target] => target,
        _ => return Err(Failure::usage("the project comes first, then PROVIDER[:PROFILE]").into()),
    };
    // The path is reported as it was typed: only that can be checked for a misplaced key.
    if let Some(missing) = args.from.as_ref().filter(|from| !from.exists()) {
        let message = format!("there is no directory {}", authenticate::redact::redact_path(missing));
        return Err(Failure::usage(message).hint("name the directory with --from DIR").into());
    }
    let from = args.from.map(std::path::absolute).transpose()?;
    let options =
        ImportOptions { from, take_over: args.take_over, set: args.set, profile: target.profile.clone() };
    // Without a project, the set is `default`, whatever the file of a project `default` says.
    let set =
        if args.words.len() == 1 { options.set.or_else(|| Some(Name::default_name())) } else { options.set };
    let import = Import::plan(context, &target.provider, ImportOptions { set, ..options })?;
    let verb = if args.take_over { "moving" } else { "reading" };
    output::note(&format!("{verb} the login in {}", shown(import.directory())));
    let imported = import.run()?;
    if imported.becomes_outdated() {
        output::warn(&format!(
            "the vendor's own tool keeps refreshing this login, which invalidates the copy here; import it again then, or \
             move it with: authenticate import {} --move",
            spelled(import.address()),
        ));
    }
    if args.json {
        return Ok(output::json(&to_json(&import, &imported))?);
    }
    let record = &imported.record;
    let account =
        record.metadata.account.as_ref().map(|a| format!(" for {}", output::safe(a))).unwrap_or_default();
    output::note(&format!("stored {} {}{account}", record.credential.kind(), record.address));
    output::note(&match imported.removed {
        None => format!("{} is unchanged: the vendor's own tool still has the login", shown(&imported.file)),
        Some(RemovedFrom::Now(Removed::File)) => {
            format!("removed {}: only authenticate has the login now", shown(&imported.file))
        }
        Some(RemovedFrom::Now(Removed::Fields)) => {
            format!(
                "removed the login from {} and kept the rest: only authenticate has the login now",
                shown(&imported.file)
            )
        }
        Some(RemovedFrom::Earlier) => {
            format!(
                "an earlier import removed the login from {}: only authenticate has it now",
                shown(&imported.file)
            )
        }
    });
    Ok(())
}

fn shown(path: &Path) -> String {
    output::safe(&path.display().to_string())
}

fn to_json(import: &Import, imported: &Imported) -> serde_json::Value {
    let record = &imported.record;
    let address = &record.address;
    json!({
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "kind": record.credential.kind().as_str(),
        "account": record.metadata.account,
        "host": record.metadata.host,
        "scopes": record.metadata.scopes,
        "expires_at": record.metadata.expires_at.map(|at| at.to_string()),
        "owner": record.metadata.owner.as_str(),
        "from": import.directory().display().to_string(),
        "file": imported.file.display().to_string(),
        "vendor_file": match imported.removed {
            None => "kept",
            Some(RemovedFrom::Now(Removed::File)) => "removed",
            Some(RemovedFrom::Now(Removed::Fields)) => "login taken out",
            Some(RemovedFrom::Earlier) => "login taken out before",
        },
        "becomes_outdated": imported.becomes_outdated(),
    })
}
