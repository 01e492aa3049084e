//! The command line: the only code that prints, prompts and exits.

mod completions;
mod console;
mod doctor;
mod exit;
mod failure;
mod hints;
mod image;
mod import;
mod log;
mod login;
mod logout;
mod man;
mod output;
mod passphrase;
mod patient;
mod projects;
mod prompt;
mod providers;
mod refresh;
mod revocation;
mod revoke;
mod secret_args;
mod signals;
mod status;
mod store;
mod target;
mod terminal;
mod token;
mod tty;

use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

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
    builder::PossibleValue,
    error::{ContextKind, ContextValue, ErrorKind},
};

use failure::Failure;
use terminal::TerminalUi;

/// Get, store, refresh and hand out the credentials of AI agents and developer tools
///
/// `authenticate PROJECT PROVIDER` logs in. An API key goes straight into the store; for the login of a vendor, the vendor's
/// own CLI runs in a throwaway container.
#[derive(Parser)]
#[command(name = "authenticate", version, args_conflicts_with_subcommands = true, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    login: Option<login::Args>,
}

const AFTER_HELP: &str = "\
Examples:
  authenticate demo openai              Log in: ask for an API key and store it
  authenticate demo claude:work         Log in to another account, as profile `work`
  authenticate status                   Show the stored credentials
  authenticate token demo openai        Print the API key
  authenticate refresh                  Refresh all credentials that are due
  authenticate logout demo claude:work  Revoke that login and remove it

Exit codes: 0 done, 1 unexpected failure, 2 usage, 3 no usable credential, 4 login failed, 5 no container engine or image, \
6 store unavailable, 7 network or vendor unreachable, 8 busy, 130 interrupted";

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Log in, as `authenticate PROJECT PROVIDER` does; for a project named like a command
    Login(Box<login::Args>),
    /// Import a login that a vendor's own tool made on this machine
    Import(import::Args),
    /// Show the stored credentials and those in the environment, without secrets
    Status(status::Args),
    /// Print the secret of a credential, refreshed first if it is due
    Token(token::Args),
    /// Refresh credentials that have expired or are about to
    Refresh(refresh::Args),
    /// Revoke a credential at its vendor, and remove it whether or not that succeeds
    Logout(logout::Args),
    /// Revoke a credential at its vendor, and remove it only if that succeeds
    Revoke(revoke::Args),
    /// List, show and check provider descriptors
    Providers(providers::Args),
    /// List the projects that have a file
    Projects(JsonArgs),
    /// Build, list and remove the images of container logins
    Image(image::Args),
    /// Manage the store, its key and its backups
    Store(store::Args),
    /// Show the audit log
    Log(log::Args),
    /// Check the configuration, the store, engines and images for problems
    Doctor(JsonArgs),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Write the manual pages
    #[command(hide = true)]
    Man(man::Args),
}

// The arguments of a verb that has no others. Not a doc comment: clap would show it in place of the verb's own.
#[derive(clap::Args)]
struct JsonArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Parses the arguments, runs the verb and reports its errors.
pub fn main() -> ExitCode {
    signals::settle();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return parse_failure(error),
    };
    let shorthand = cli.verb.is_none();
    let login = cli.login.map(|args| Verb::Login(Box::new(args)));
    let Some(verb) = cli.verb.or(login) else {
        return Failure::usage("no command was given").report();
    };
    let context = match Paths::from_env() {
        Ok(paths) => {
            let ui = Arc::new(TerminalUi::default());
            Some(Context::new(paths).with_project(verb.project()).with_ui(ui))
        }
        Err(_) if matches!(verb, Verb::Completions(_) | Verb::Man(_)) => None,
        Err(error) => return Failure::of(error.into(), None).report(),
    };
    match run(verb, context.as_ref()) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            let unknown =
                matches!(error.downcast_ref(), Some(LoginError::Config(ConfigError::UnknownProvider(_))));
            let mut failure = Failure::of(error, context.as_ref());
            if shorthand && unknown {
                failure.hint = verb_meant().or(failure.hint);
            }
            failure.report()
        }
    }
}

impl Verb {
    /// The project that the first argument is; `default` for a verb without one, or whose first argument may be a provider.
    fn project(&self) -> Name {
        let project = match self {
            Self::Login(args) => Some(&args.project),
            Self::Token(args) => Some(&args.project),
            Self::Logout(args) => args.project.as_ref(),
            Self::Revoke(args) => Some(&args.project),
            _ => None,
        };
        project.cloned().unwrap_or_else(Name::default_name)
    }
}

fn run(verb: Verb, context: Option<&Context>) -> anyhow::Result<()> {
    let context = match (&verb, context) {
        (Verb::Completions(args), _) => return completions::run(args),
        (Verb::Man(args), _) => return man::run(args),
        (_, None) => return Ok(()),
        (_, Some(context)) => context,
    };
    set_passphrase_provider(passphrase::TerminalPassphrase::default());
    match &verb {
        // These use an engine anyway, so waiting for one is fine.
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
        Verb::Projects(args) => projects::run(context, args.json),
        Verb::Image(args) => image::run(context, args),
        Verb::Store(args) => store::run(context, args),
        Verb::Log(args) => log::run(context, args),
        Verb::Doctor(args) => doctor::run(context, args.json),
        Verb::Completions(_) | Verb::Man(_) => Ok(()),
    }
}

/// Whether a word in the place of the project is taken for a command.
fn is_verb(word: &str) -> bool {
    word == "help" || Cli::command().get_subcommands().any(|verb| verb.get_name() == word)
}

/// A value of an argument, in which `-` and `_` are the same.
fn possible_value(name: &'static str) -> PossibleValue {
    PossibleValue::new(name).aliases([name.replace('-', "_"), name.replace('_', "-")])
}

/// Prints a parse error, and suggests a command if a mistyped one was taken for a project.
fn parse_failure(error: clap::Error) -> ExitCode {
    let error = without_keys(error);
    let _ = error.print();
    // Followed by arguments of its own, a mistyped command has too many for a project.
    let too_many = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict)
        && matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(a)) if !a.starts_with('-'))
        || error.get(ContextKind::InvalidSubcommand).is_some();
    if too_many || error.kind() == ErrorKind::MissingRequiredArgument {
        verb_meant().iter().for_each(|hint| output::hint(hint));
    }
    ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE })
}

/// Removes typed text that could be a key from an error. The names of our own arguments stay.
fn without_keys(mut error: clap::Error) -> clap::Error {
    let is_safe = |text: &str| {
        let name = text.strip_prefix("--").unwrap_or(text);
        // An argument of ours as the message names it: `--mode <MODE>`, `[PROJECT]`.
        looks_safe(name) || arguments().contains(text)
    };
    let secret: Vec<ContextKind> = error
        .context()
        .filter(|(kind, _)| !matches!(kind, ContextKind::Usage | ContextKind::ValidValue))
        .filter(|(_, value)| match value {
            ContextValue::String(text) => !is_safe(text),
            ContextValue::Strings(texts) => !texts.iter().all(|text| is_safe(text)),
            _ => false,
        })
        .map(|(kind, _)| kind)
        .collect();
    for kind in &secret {
        error.insert(*kind, ContextValue::String(REDACTED.into()));
    }
    if !secret.is_empty() {
        // The suggestion repeats the typed text, too.
        error.remove(ContextKind::Suggested);
    }
    error
}

/// The names of the arguments of all commands, as messages show them.
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

/// The hint at the command that the first argument is close to, unless it is one.
fn verb_meant() -> Option<String> {
    let word = std::env::args_os().nth(1)?.into_string().ok()?;
    let command = Cli::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(clap::Command::get_name);
    let near = authenticate::config::suggest::nearest(&word, verbs).filter(|near| *near != word)?;
    Some(format!("there is no command {word:?}; did you mean `authenticate {near}`?"))
}

/// Cleans up after logins that were killed; costs one look at a directory that is normally empty. Leftovers that remain
/// are reported only by a command that uses an engine.
fn sweep(paths: &Paths, timeout: SweepTimeout) {
    if !logins::cli::sweep::needed(paths) {
        return;
    }
    if let Ok(remaining) = finish(logins::cli::sweep::sweep(paths, timeout)) {
        for login in remaining.iter().filter(|_| timeout == SweepTimeout::Full) {
            output::warn(&format!("could not clean up after {login}"));
        }
    }
}

/// Runs a future to its end, and waits for nothing else: a DNS lookup that still runs, or a reader that stopped reading our
/// output, must not hold up the exit.
fn finish<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    // One thread is enough: all work is waiting.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
