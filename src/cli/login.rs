//! `authenticate PROJECT PROVIDER`

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    time::Duration,
};

use authenticate::{
    Error,
    credential::Record,
    engine::Choice,
    login::{How, Login, LoginError, interrupt, sweep::Reach},
    name::Name,
    paths::Paths,
    provider::Mode,
    secret::Secret,
    ui::Ui,
};
use clap::{ArgGroup, ValueEnum};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    failure::Usage,
    output,
    target::{Target, spelled},
    terminal::TerminalUi,
};

/// No key is longer; what comes after it is not read.
const MAX_KEY: u64 = 64 * 1024;

#[derive(clap::Args)]
#[command(group = ArgGroup::new("key").multiple(false))]
pub struct Args {
    /// The project: a name of your own for a piece of work; it needs no file
    project: Name,
    /// The provider, and a profile to keep several accounts apart
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    provider: Target,
    /// The way to get the credential
    #[arg(long)]
    mode: Option<ModeArg>,
    /// Read the API key from standard input
    #[arg(long, group = "key")]
    api_key_stdin: bool,
    /// Read the API key from a file
    #[arg(long, group = "key", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Read the API key from an environment variable
    #[arg(long, group = "key", value_name = "VAR")]
    api_key_env: Option<String>,
    /// The API key itself; other users of this machine can see it while the command runs
    #[arg(long, group = "key", value_name = "KEY")]
    api_key: Option<String>,
    /// Store a key that does not look like one of this provider's
    #[arg(long)]
    force: bool,
    /// The credential set, in place of the project's
    #[arg(long)]
    set: Option<Name>,
    /// The image to log in from, in place of the provider's
    #[arg(long)]
    image: Option<String>,
    /// The engine: docker, podman or a URL
    #[arg(long)]
    engine: Option<String>,
    /// A file with the certificates to trust (PEM), for image builds and logins
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
    /// Log in without a browser that could come back to this machine, where the provider has such a way
    #[arg(long)]
    headless: bool,
    /// Show the login URL as a QR code, too
    #[arg(long)]
    qr: bool,
    /// Give up after this time, for example 90s or 10m
    #[arg(long, value_parser = duration)]
    timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArg {
    Oauth,
    #[value(name = "api_key", alias = "api-key")]
    ApiKey,
    Device,
    Browser,
    Basic,
    Fields,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Oauth => Self::Oauth,
            ModeArg::ApiKey => Self::ApiKey,
            ModeArg::Device => Self::Device,
            ModeArg::Browser => Self::Browser,
            ModeArg::Basic => Self::Basic,
            ModeArg::Fields => Self::Fields,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with a unit, for example 90s or 10m".to_owned();
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).ok().filter(|d| !d.is_zero()).ok_or_else(wrong)
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let ui = TerminalUi::new().open_browser(!args.no_browser).qr(args.qr).data_on_stdout(args.json);
    let how = how(&args)?;
    let login = Login::plan(paths, &args.project, &args.provider.provider, how, &ui)?;
    let record = match login.mode() {
        Mode::ApiKey => login.store_key(&ui)?,
        _ => {
            super::sweep(paths, Reach::Engines);
            in_container(&login, &ui)?
        }
    };
    // It is there, whatever becomes of saying so.
    let said = stored(&args, &record);
    said.map_err(|error| error.context(format!("{} is stored, but that could not be said", record.address)))
}

fn how(args: &Args) -> anyhow::Result<How> {
    Ok(How {
        mode: args.mode.map(Mode::from),
        api_key: key(args)?,
        force: args.force,
        set: args.set.clone(),
        profile: args.provider.profile.clone(),
        image: args.image.clone(),
        engine: args.engine.as_deref().map(str::parse::<Choice>).transpose().map_err(Error::from)?,
        ca_bundle: args.ca_bundle.clone(),
        headless: args.headless,
        timeout: args.timeout,
    })
}

/// The key, from wherever it was said to be.
fn key(args: &Args) -> anyhow::Result<Option<Secret>> {
    if args.api_key_stdin {
        if std::io::stdin().is_terminal() {
            let hint = "leave --api-key-stdin out to be asked for the key";
            return Err(Usage::new("standard input is a terminal, where the key would be seen")
                .hint(hint)
                .into());
        }
        return Ok(Some(read("standard input", std::io::stdin())?));
    }
    if let Some(file) = &args.api_key_file {
        // Its name is not repeated, nor is that of the variable: by a slip it may be the key itself.
        let from = "the file of --api-key-file";
        let opened = std::fs::File::open(file);
        let opened =
            opened.map_err(|source| Error::from(LoginError::KeySource { from: from.into(), source }))?;
        return Ok(Some(read(from, opened)?));
    }
    if let Some(name) = &args.api_key_env {
        return match std::env::var(name) {
            Ok(value) => Ok(Some(value.into())),
            Err(std::env::VarError::NotPresent) => {
                Err(Usage::new("the variable of --api-key-env is not set").into())
            }
            Err(_) => Err(Usage::new("the variable of --api-key-env does not hold text").into()),
        };
    }
    if args.api_key.is_some() {
        output::warn("other users of this machine could see that key; --api-key-stdin keeps it from them");
    }
    Ok(args.api_key.clone().map(Secret::from))
}

fn read(from: &str, source: impl std::io::Read) -> Result<Secret, Error> {
    let mut text = zeroize::Zeroizing::new(String::new());
    match source.take(MAX_KEY + 1).read_to_string(&mut text) {
        Ok(count) if count as u64 > MAX_KEY => {
            let source = std::io::Error::other("it is longer than any key");
            Err(LoginError::KeySource { from: from.to_owned(), source }.into())
        }
        Ok(_) => Ok(Secret::new(text.as_str())),
        Err(source) => Err(LoginError::KeySource { from: from.to_owned(), source }.into()),
    }
}

fn in_container(login: &Login, ui: &dyn Ui) -> anyhow::Result<Record> {
    let runtime = super::runtime()?;
    let record = runtime.block_on(async {
        let (interrupter, mut interrupt) = interrupt::pair();
        let (mut int, mut term, mut hup, mut quit) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::quit())?,
        );
        let signals = tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = int.recv() => interrupter.interrupt(),
                    Some(()) = term.recv() => interrupter.end(),
                    Some(()) = hup.recv() => interrupter.end(),
                    Some(()) = quit.recv() => interrupter.end(),
                }
            }
        });
        let record = login.in_container(ui, &mut interrupt).await;
        signals.abort();
        anyhow::Ok(record?)
    });
    // A reader that has stopped reading our output must not keep us.
    runtime.shutdown_background();
    record
}

fn stored(args: &Args, record: &Record) -> anyhow::Result<()> {
    let address = &record.address;
    if args.json {
        return Ok(output::json(&json!({
            "schema": 1,
            "provider": address.provider.as_str(),
            "set": address.set.as_str(),
            "profile": address.profile.as_str(),
            "kind": record.credential.kind().as_str(),
            "account": record.metadata.account,
            "host": record.metadata.host,
            "scopes": record.metadata.scopes,
            "expires_at": record.metadata.expires_at.map(|at| at.to_string()),
        }))?);
    }
    let account =
        record.metadata.account.as_ref().map(|a| format!(" for {}", output::safe(a))).unwrap_or_default();
    output::note(&format!("stored {} {address}{account}", record.credential.kind()));
    let set = args.set.as_ref().map(|set| format!(" --set {set}")).unwrap_or_default();
    output::note(&format!("use it with: authenticate token {} {}{set}", args.project, spelled(address)));
    Ok(())
}
