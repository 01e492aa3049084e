//! The command line: what is typed, and the one place that prints.

mod completions;
mod console;
mod custodian;
mod doctor;
mod exit;
mod failure;
mod hints;
mod image;
mod import;
mod input;
mod log;
mod login;
mod logout;
mod man;
mod one_word;
mod output;
mod projects;
mod prompt;
mod providers;
mod refresh;
mod refresh_first;
mod revocation;
mod revoke;
mod secret_args;
mod signals;
mod status;
mod store;
mod target;
mod terminal;
mod token;

use std::{collections::BTreeSet, process::ExitCode};

use authenticate::{
    ConfigError, LoginError,
    config::Paths,
    context::Context,
    credential::Name,
    login::{self as logins, cli::sweep::SweepTimeout},
    redact::{REDACTED, looks_safe},
    store::set_passphrase_provider,
};
use clap::{
    CommandFactory as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use failure::Usage;

/// The one owner of the credentials of AI agents and developer tools: gets them, keeps them, hands them out.
///
/// `authenticate PROJECT PROVIDER` logs in: an API key goes straight into the store; a vendor's login is run by the
/// vendor's own CLI in a throwaway container.
#[derive(Parser)]
#[command(name = "authenticate", version, args_conflicts_with_subcommands = true, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    login: Option<login::Args>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 unexpected failure, 2 usage, 3 no usable credential, 4 the login failed or left nothing,
5 no container engine or image, 6 store unavailable, 7 network or vendor unreachable, 8 busy, 130 interrupted";

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Log in: the same as `authenticate PROJECT PROVIDER`, for a project named like a verb
    Login(Box<login::Args>),
    /// Read or take over a login that a vendor's own tool has made on this machine
    Import(import::Args),
    /// Show what is stored, without secrets
    Status(status::Args),
    /// Print the usable secret of a credential, and nothing else
    Token(token::Args),
    /// Renew what is past its time, or nearly so
    Refresh(refresh::Args),
    /// Revoke a credential at its vendor and remove it
    Logout(logout::Args),
    /// Revoke a credential at its vendor, and keep it if that fails
    Revoke(revoke::Args),
    /// List, show and check provider descriptors
    Providers(providers::Args),
    /// List the projects that have a file
    Projects(projects::Args),
    /// Build, list and remove the images that logins run in
    Image(image::Args),
    /// Look after the store: its key, its backups
    Store(store::Args),
    /// Show what was done with the credentials: the audit log
    Log(log::Args),
    /// Look for problems: engines, permissions, database, images
    Doctor(doctor::Args),
    /// Print the completions for a shell
    Completions(completions::Args),
    /// Write the manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// Parses the arguments, runs the verb and reports its errors.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return parse_failure(error),
    };
    let shorthand = cli.verb.is_none();
    let verb = match (cli.verb, cli.login) {
        (Some(verb), _) => verb,
        (None, Some(args)) => Verb::Login(Box::new(args)),
        (None, None) => {
            let help = Cli::command().render_help();
            return failure::report(&Usage::new("say what to do").hint(help.to_string()).into(), None);
        }
    };
    let context = match Paths::from_env() {
        Ok(paths) => Some(Context::new(paths).with_project(verb.project())),
        Err(_) if matches!(verb, Verb::Completions(_) | Verb::Man(_)) => None,
        Err(error) => return failure::report(&error.into(), None),
    };
    match run(verb, context.as_ref()) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            let code = failure::report(&error, context.as_ref());
            let unknown =
                matches!(error.downcast_ref(), Some(LoginError::Config(ConfigError::UnknownProvider(_))));
            if shorthand && unknown {
                suggest_verb();
            }
            code
        }
    }
}

impl Verb {
    /// The project that the arguments name; `default` for a verb without one.
    fn project(&self) -> Name {
        let project = match self {
            Self::Login(args) => Some(args.project().clone()),
            Self::Import(args) => args.project(),
            Self::Token(args) => Some(args.project().clone()),
            Self::Logout(args) => args.project().cloned(),
            Self::Revoke(args) => Some(args.project().clone()),
            Self::Refresh(args) => args.project(),
            _ => None,
        };
        project.unwrap_or_else(Name::default_name)
    }
}

fn run(verb: Verb, context: Option<&Context>) -> anyhow::Result<()> {
    let context = match (&verb, context) {
        (Verb::Completions(args), _) => return completions::run(args),
        (Verb::Man(args), _) => return man::run(args),
        (_, None) => return Ok(()),
        (_, Some(context)) => context,
    };
    set_passphrase_provider(custodian::TerminalPassphrase::default());
    match &verb {
        // These use an engine anyway, which may be waited for; a login knows only later whether it uses one.
        Verb::Image(_) | Verb::Doctor(_) => sweep(context.paths(), SweepTimeout::Full),
        _ => sweep(context.paths(), SweepTimeout::Short),
    }
    match verb {
        Verb::Login(args) => login::run(context, *args),
        Verb::Import(args) => import::run(context, args),
        Verb::Status(args) => status::run(context, args),
        Verb::Token(args) => token::run(context, args),
        Verb::Refresh(args) => refresh::run(context, args),
        Verb::Logout(args) => logout::run(context, args),
        Verb::Revoke(args) => revoke::run(context, args),
        Verb::Providers(args) => providers::run(context, args),
        Verb::Projects(args) => projects::run(context, args),
        Verb::Image(args) => image::run(context, args),
        Verb::Store(args) => store::run(context, args),
        Verb::Log(args) => log::run(context, args),
        Verb::Doctor(args) => doctor::run(context, args),
        Verb::Completions(_) | Verb::Man(_) => Ok(()),
    }
}

/// Whether the command line takes a word for a verb where a project could stand.
fn is_verb(word: &str) -> bool {
    word == "help" || Cli::command().get_subcommands().any(|verb| verb.get_name() == word)
}

/// A verb that is not one is taken for a project; say so when that was probably not meant.
fn parse_failure(error: clap::Error) -> ExitCode {
    let error = without_keys(error);
    let _ = error.print();
    // With its own arguments behind it, such a verb has too many for a project.
    let too_many = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict)
        && matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(a)) if !a.starts_with('-'))
        || error.get(ContextKind::InvalidSubcommand).is_some();
    if too_many || error.kind() == ErrorKind::MissingRequiredArgument {
        suggest_verb();
    }
    ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE })
}

/// The same error without what was typed, where that could be a key. Names of our own arguments stay.
fn without_keys(mut error: clap::Error) -> clap::Error {
    let harmless = |text: &str| {
        let name = text.strip_prefix("--").unwrap_or(text);
        // An argument of ours as the message names it: `--mode <MODE>`, `[PROJECT]`.
        looks_safe(name) || arguments().contains(text)
    };
    let secret: Vec<ContextKind> = error
        .context()
        .filter(|(kind, _)| !matches!(kind, ContextKind::Usage | ContextKind::ValidValue))
        .filter(|(_, value)| match value {
            ContextValue::String(text) => !harmless(text),
            ContextValue::Strings(texts) => !texts.iter().all(|text| harmless(text)),
            _ => false,
        })
        .map(|(kind, _)| kind)
        .collect();
    for kind in &secret {
        error.insert(*kind, ContextValue::String(REDACTED.into()));
    }
    if !secret.is_empty() {
        // Advice repeats what was typed, too.
        error.remove(ContextKind::Suggested);
    }
    error
}

/// How messages name the arguments of all verbs.
fn arguments() -> BTreeSet<String> {
    fn collect(command: &clap::Command, into: &mut BTreeSet<String>) {
        into.extend(command.get_arguments().map(ToString::to_string));
        into.insert(command.get_name().to_owned());
        command.get_subcommands().for_each(|verb| collect(verb, into));
    }
    let mut command = Cli::command();
    command.build();
    let mut names = BTreeSet::new();
    collect(&command, &mut names);
    names
}

/// Names the verb that the first argument is near to, unless it is one.
fn suggest_verb() {
    let Some(word) = std::env::args_os().nth(1).and_then(|word| word.into_string().ok()) else { return };
    let command = Cli::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(clap::Command::get_name);
    if let Some(near) = authenticate::config::suggest::nearest(&word, verbs)
        && near != word
    {
        output::hint(&format!("there is no verb {word:?}; did you mean `authenticate {near}`?"));
    }
}

/// Cleans up after logins that were killed. Costs one look at a normally empty directory. What is left is said only
/// where an engine is used.
fn sweep(paths: &Paths, reach: SweepTimeout) {
    if !logins::cli::sweep::needed(paths) {
        return;
    }
    if let Ok(swept) = finish(logins::cli::sweep::sweep(paths, reach)) {
        for left in swept.remaining.iter().filter(|_| reach == SweepTimeout::Full) {
            output::warn(&format!("could not clean up after {left}"));
        }
    }
}

/// Runs something to its end, and nothing longer: a host's name that is still looked up, or a reader that has stopped
/// reading our output, must not keep us.
fn finish<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    // One thread is enough: everything waits for somebody else.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
