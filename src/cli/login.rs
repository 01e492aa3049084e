//! `authenticate PROJECT PROVIDER`

use std::{path::PathBuf, sync::Arc, time::Duration};

use authenticate::{
    cancel_pair,
    config::project::check_image,
    context::Context,
    credential::{Kind, Name, Record},
    engine::EngineError,
    login::{Login, LoginOptions, cli::sweep::SweepTimeout, direct::expiry},
    provider::Mode,
};
use clap::{
    ArgGroup,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::Timestamp;
use signal_hook::consts::SIGINT;

use super::{
    hints::Hints,
    output, possible_value, secret_args,
    signals::Signals,
    target::Target,
    terminal::{MODES, TerminalUi},
};

#[derive(clap::Args)]
#[command(
    group = ArgGroup::new("key").multiple(false),
    group = ArgGroup::new("bearer").multiple(false).conflicts_with("key"),
    group = ArgGroup::new("some_fields").multiple(true).conflicts_with_all(["key", "bearer"]),
    group = ArgGroup::new("end").multiple(false),
)]
pub struct Args {
    /// The project: any name of yours for a piece of work; a file for it is optional
    pub project: Name,
    /// The provider, and optionally a profile to keep several accounts apart [default profile: default]
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    provider: Target,
    /// Log in in this mode [default: the provider's only mode, the mode of the given inputs, or ask]
    #[arg(long, value_parser = mode())]
    mode: Option<Mode>,
    /// Read the API key from standard input
    #[arg(long, group = "key")]
    pub(super) api_key_stdin: bool,
    /// Read the API key from a file
    #[arg(long, group = "key", value_name = "FILE")]
    pub(super) api_key_file: Option<PathBuf>,
    /// Read the API key from an environment variable
    #[arg(long, group = "key", value_name = "VAR")]
    pub(super) api_key_env: Option<String>,
    /// Use this API key; other users of this machine can see it while the command runs
    #[arg(long, group = "key", value_name = "KEY")]
    pub(super) api_key: Option<String>,
    /// Read a bearer token from standard input
    #[arg(long, group = "bearer")]
    pub(super) token_stdin: bool,
    /// Read a bearer token from a file
    #[arg(long, group = "bearer", value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Read a bearer token from an environment variable
    #[arg(long, group = "bearer", value_name = "VAR")]
    pub(super) token_env: Option<String>,
    /// Record that the key or token expires after this time, for example 12h or 90d
    #[arg(long, group = "end", value_name = "TIME", value_parser = expiry::expires_in)]
    expires_in: Option<Timestamp>,
    /// Record that the key or token expires at this time, for example 2030-01-31 or 2030-01-31T12:00:00Z
    #[arg(long, group = "end", value_name = "TIME", value_parser = expiry::expires_at)]
    expires_at: Option<Timestamp>,
    /// Set a field that is not secret; `-` reads any field from standard input, an empty value leaves the field blank
    #[arg(long, group = "some_fields", value_name = "NAME=VALUE")]
    pub(super) field: Vec<String>,
    /// Read a field from a file
    #[arg(long, group = "some_fields", value_name = "NAME=FILE")]
    pub(super) field_file: Vec<String>,
    /// Read a field from an environment variable, and store it
    #[arg(long, group = "some_fields", value_name = "NAME=VAR")]
    pub(super) field_env: Vec<String>,
    /// Read all fields from standard input, as a JSON object
    #[arg(long, conflicts_with_all = ["key", "bearer", "some_fields"])]
    pub(super) fields_json_stdin: bool,
    /// Store the key or token as it is, whatever it looks like
    #[arg(long)]
    force: bool,
    /// Store into this credential set [default: the project's]
    #[arg(long)]
    set: Option<Name>,
    /// Run the vendor's CLI in this image [default: the project's, or the provider's]
    #[arg(long, value_parser = image)]
    image: Option<String>,
    /// Use this engine: docker, podman or a URL [default: the project's, or the first that answers]
    #[arg(long)]
    engine: Option<String>,
    /// Trust the certificates in this PEM file, for image builds and logins
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
    /// Log in without a browser that can reach this machine, if the provider supports that
    #[arg(long)]
    headless: bool,
    /// Also show the login URL as a QR code
    #[arg(long)]
    qr: bool,
    /// Ask the terminal to copy the device code to the clipboard
    #[arg(long)]
    copy: bool,
    /// Give up after this time, for example 90s or 10m [default: 15m]
    #[arg(long, value_parser = duration)]
    timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Parses a mode by its name.
fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(MODES.map(|(mode, _)| possible_value(mode.as_str())))
        .try_map(|name| serde_json::from_value(name.replace('-', "_").into()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with a unit, for example 90s or 10m".to_owned();
    let zero = || "the time must be longer than zero".to_owned();
    Duration::try_from(expiry::lasts(text).map_err(|_| wrong())?)
        .ok()
        .filter(|d| !d.is_zero())
        .ok_or_else(zero)
}

fn image(text: &str) -> Result<String, String> {
    check_image(text).map(|()| text.to_owned())
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let mut ui = TerminalUi::default();
    ui.no_browser = args.no_browser;
    ui.qr = args.qr;
    ui.copy = args.copy;
    ui.cli_on_stdout = !args.json;
    let context = context.clone().with_ui(Arc::new(ui));
    let login = Login::plan(&context, &args.provider.provider, options(&args)?)?;
    warn_of_unused(&args, login.mode());
    let record = match login.mode() {
        Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields => login.store_entered()?,
        mode => {
            if mode == Mode::Oauth {
                super::sweep(context.paths(), SweepTimeout::Full);
            }
            interruptible(&login)?
        }
    };
    // The credential is stored even if that cannot be printed.
    let printed = report(&context, &login, &record, args.json);
    printed.map_err(|error| {
        error.context(format!("{} is stored, but the result could not be printed", record.address))
    })
}

/// Warns of flags that the mode does not use.
fn warn_of_unused(args: &Args, mode: Mode) {
    let stored = matches!(mode, Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields);
    let in_container = mode == Mode::Oauth;
    let flags = [
        ("--image", args.image.is_some() && !in_container),
        ("--engine", args.engine.is_some() && !in_container),
        ("--ca-bundle", args.ca_bundle.is_some() && stored),
        ("--timeout", args.timeout.is_some() && stored),
        ("--force", args.force && !matches!(mode, Mode::ApiKey | Mode::Token)),
        ("--no-browser", args.no_browser && stored),
        ("--headless", args.headless && stored),
        ("--qr", args.qr && stored),
        ("--copy", args.copy && mode != Mode::Device),
    ];
    let flags: Vec<_> = flags.into_iter().filter_map(|(flag, unused)| unused.then_some(flag)).collect();
    if !flags.is_empty() {
        output::warn(&format!("mode {mode} does not use {}", flags.join(", ")));
    }
}

fn options(args: &Args) -> anyhow::Result<LoginOptions> {
    Ok(LoginOptions {
        mode: args.mode,
        api_key: secret_args::api_key(args)?,
        token: secret_args::token(args)?,
        expires_at: args.expires_in.or(args.expires_at),
        fields: secret_args::fields(args)?,
        force: args.force,
        set: args.set.clone(),
        profile: args.provider.profile.clone(),
        image: args.image.clone(),
        engine: args.engine.as_deref().map(str::parse).transpose().map_err(EngineError::from)?,
        ca_bundle: args.ca_bundle.clone(),
        headless: args.headless,
        timeout: args.timeout,
    })
}

/// Runs a login that waits for the person or the vendor; signals cancel it.
fn interruptible(login: &Login) -> anyhow::Result<Record> {
    let mut signals = Signals::receive()?;
    super::finish(async {
        let (handle, mut cancel) = cancel_pair();
        let cancelling = tokio::spawn(async move {
            loop {
                match signals.next().await {
                    SIGINT => handle.cancel(),
                    _ => handle.end(),
                }
            }
        });
        let record = login.run(&mut cancel).await;
        cancelling.abort();
        anyhow::Ok(record?)
    })?
}

fn report(context: &Context, login: &Login, record: &Record, json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(output::json(&output::record_json(record))?);
    }
    output::note_stored(record);
    let fields = login.provider().all_fields();
    let field = match (record.credential.kind(), fields.keys().next()) {
        (Kind::Fields, Some(first)) if fields.len() > 1 => format!(" --field {first}"),
        _ => String::new(),
    };
    let words = Hints(context).arguments(&record.address);
    output::note(&format!("use it with: authenticate token {words}{field}"));
    Ok(())
}
