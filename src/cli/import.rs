//! `authenticate import`

use std::path::{Path, PathBuf};

use authenticate::{
    LoginError,
    context::Context,
    credential::Name,
    login::import::{Import, ImportOptions, Imported, RemovedFrom},
    redact,
    vendor_files::{Choice, Removed},
};

use super::{failure::Failure, hints::Hints, output, target::Target};

#[derive(clap::Args)]
#[command(override_usage = "authenticate import [OPTIONS] [PROJECT] <PROVIDER[:PROFILE]>")]
pub struct Args {
    /// The provider and optional profile, after an optional project whose credential set is used [default set: default]
    #[arg(value_name = "[PROJECT] PROVIDER[:PROFILE]", required = true, num_args = 1..=2)]
    words: Vec<Target>,
    /// Import from this directory [default: where the vendor's own tool keeps its login]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Import this one of several logins: its account, its key in the file, or the other provider that it is for
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// Import the login for this host, of several
    #[arg(long)]
    host: Option<String>,
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

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let (project, target, set) = match args.words.as_slice() {
        [project, target] if project.profile.is_none() => (project.provider.parse()?, target, args.set),
        // Without a project, the set is `default`, whatever the file of a project `default` says.
        [target] => (Name::default_name(), target, args.set.or_else(|| Some(Name::default_name()))),
        _ => return Err(Failure::usage("the project comes first, then PROVIDER[:PROFILE]").into()),
    };
    // The path is reported as it was typed: only that can be checked for a misplaced key.
    if let Some(missing) = args.from.as_ref().filter(|from| !from.exists()) {
        let message = format!("there is no directory {}", redact::redact_path(missing));
        return Err(Failure::usage(message).hint("name the directory with --from DIR").into());
    }
    let from = args.from.map(std::path::absolute).transpose()?;
    let typed_from = from.as_deref().map(|from| format!(" --from {}", redact::shell_quote(from)));
    let typed_from = typed_from.unwrap_or_default();
    let typed_choice: String = [("--entry", &args.entry), ("--host", &args.host)]
        .into_iter()
        .filter_map(|(flag, value)| {
            Some(format!(" {flag} {}", redact::shell_quote(value.as_ref()?.as_ref())))
        })
        .collect();
    let options = ImportOptions {
        from,
        choice: Choice { entry: args.entry, host: args.host, ..Choice::default() },
        take_over: args.take_over,
        set,
        profile: target.profile.clone(),
    };
    let context = context.clone().with_project(project);
    // The hint is for this project.
    let failed = |error: LoginError| Failure::of(error.into(), Some(&context));
    let import = Import::plan(&context, &target.provider, options).map_err(failed)?;
    let verb = if args.take_over { "moving" } else { "reading" };
    output::note(&format!("{verb} the login in {}", shown(import.directory())));
    let imported = import.run().map_err(failed)?;
    if imported.becomes_outdated() {
        output::warn(&format!(
            "the vendor's own tool keeps refreshing this login, which invalidates the copy here; import it again then, or \
             move it with: authenticate import {}{typed_from}{typed_choice} --move",
            Hints(&context).arguments(import.source()),
        ));
    }
    let (vendor_file, text) = outcome(&imported);
    if args.json {
        let mut object = output::record_json(&imported.record);
        object["owner"] = imported.record.metadata.owner.as_str().into();
        object["from"] = import.directory().display().to_string().into();
        object["file"] = imported.file.display().to_string().into();
        object["vendor_file"] = vendor_file.into();
        object["becomes_outdated"] = imported.becomes_outdated().into();
        return Ok(output::json(&object)?);
    }
    output::note_stored(&imported.record);
    output::note(&text);
    Ok(())
}

/// The word for what became of the vendor's file, and a sentence about it.
fn outcome(imported: &Imported) -> (&'static str, String) {
    let file = shown(&imported.file);
    match imported.removed {
        None => ("kept", format!("{file} is unchanged: the vendor's own tool still has the login")),
        Some(RemovedFrom::Now(Removed::File)) => {
            ("removed", format!("removed {file}: only authenticate has the login now"))
        }
        Some(RemovedFrom::Now(Removed::Fields)) => (
            "login taken out",
            format!("removed the login from {file} and kept the rest: only authenticate has the login now"),
        ),
        Some(RemovedFrom::Earlier) => (
            "login taken out before",
            format!("an earlier import removed the login from {file}: only authenticate has it now"),
        ),
    }
}

fn shown(path: &Path) -> String {
    output::safe(&path.display().to_string())
}
