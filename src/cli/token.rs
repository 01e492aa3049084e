//! `authenticate token`

use std::io::{self, Write as _};

use authenticate::{
    context::Context,
    credential::{Credential, Name, Secret},
    provider::{Mode, Provider},
    resolve::{
        Lookup, Part, Request, ResolveError, Resolved, Source, ensure_fresh,
        env::{EnvCredential, field_in, from_env, key_in, single_field},
        resolve,
    },
};
use serde_json::{Value, json};

use super::{exit, failure::Failure, output, secret_args, signals::Signals, target::Target};

#[derive(clap::Args)]
pub struct Args {
    /// The project, whose credential set and order of profiles are used
    pub project: Name,
    /// The provider and optional profile [default profile: the first usable one in the project's `profiles`, else `default`,
    /// else the only one]
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    provider: Target,
    /// Use this credential set [default: the project's]
    #[arg(long)]
    set: Option<Name>,
    /// Print this field, if the credential has several
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Use the value of this environment variable in place of the stored credential, without storing it; if the provider has
    /// several fields, --field names the field
    #[arg(long, value_name = "VAR")]
    token_env: Option<String>,
    /// Print the secret and its metadata as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let part = match &args.field {
        Some(field) => Part::Field(field.clone()),
        None if args.json => Part::All,
        None => Part::Usable,
    };
    let request = Request {
        given: override_from_env(context, &args)?,
        part,
        set: args.set.clone(),
        profile: args.provider.profile.clone(),
        ..Request::new(args.provider.provider.as_str())
    };
    let found = find_fresh(context, &request).map_err(|error| with_variable(context, &request, error))?;
    for skipped in &found.skipped {
        output::note(&format!("skipped: {skipped}; using {}", found.address));
    }
    let secret = found.part(&request.part)?;
    let printed = match args.json {
        true => output::json(&to_json(&found, args.field.as_deref(), secret.as_ref())),
        false => print(secret.as_ref().map(Secret::expose).unwrap_or_default()),
    };
    // Unlike a list, a secret that nobody reads is a failure, too: whoever asked does not have it.
    Ok(printed.map_err(|error| Failure::usage(error.to_string()).code(exit::FAILED))?)
}

fn print(secret: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(secret.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(output::name_stdout)
}

/// Finds a credential, and refreshes it first if it is due. Otherwise neither a runtime nor the network is used.
fn find_fresh(context: &Context, request: &Request) -> anyhow::Result<Resolved> {
    let expiring = match resolve(context, request)? {
        Lookup::Ready(resolved) => return Ok(resolved),
        Lookup::Expiring(expiring) => expiring,
    };
    let fresh = Signals::receive()?.finish(ensure_fresh(context, request, expiring))?;
    if let Some(error) = fresh.not_refreshed {
        let Failure { message, hint, .. } = Failure::of(error.into(), Some(context));
        output::warn(&format!("using the current token until it expires: {message}"));
        hint.iter().for_each(|hint| output::hint(hint));
    }
    Ok(fresh.resolved)
}

/// Adds a hint to the failure of a store, if an environment variable holds the credential: only a readable store says that it
/// holds no other.
fn with_variable(context: &Context, request: &Request, error: anyhow::Error) -> anyhow::Error {
    let failure = Failure::of(error, Some(context));
    let registry = context.registry_for(&request.provider);
    let provider = registry.usable(&request.provider).ok().filter(|_| failure.code == exit::STORE);
    let found = provider.and_then(|provider| from_env(provider).ok().flatten());
    let Some(EnvCredential { variable, .. }) = found.filter(|found| found.fields.is_empty()) else {
        return failure.into();
    };
    let without = format!("to use the environment without the store: --token-env {variable}");
    let hint = failure.hint.iter().chain([&without]).cloned().collect::<Vec<_>>().join("; ");
    failure.hint(hint).into()
}

fn override_from_env(context: &Context, args: &Args) -> anyhow::Result<Option<Credential>> {
    let Some(name) = &args.token_env else { return Ok(None) };
    let value = secret_args::from_env("--token-env", name)?;
    match credential_of(context, args, name, value.expose())? {
        Some(credential) => Ok(Some(credential)),
        None => Err(Failure::usage("the variable of --token-env is blank").into()),
    }
}

/// A credential of the kind that the provider has, with the value of a variable; `None` if that is blank.
fn credential_of(
    context: &Context,
    args: &Args,
    variable: &str,
    value: &str,
) -> anyhow::Result<Option<Credential>> {
    let typed = args.provider.provider.as_str();
    let registry = context.registry_for(typed);
    // An unknown provider is refused later, when the credential is resolved.
    let key = || key_in(variable, value);
    let api_key = |key| Credential::ApiKey { key };
    let Ok(provider) = registry.get(typed) else { return Ok(key()?.map(api_key)) };
    let without_login =
        |mode: &&Mode| matches!(mode, Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields);
    Ok(match provider.modes.iter().find(without_login) {
        Some(Mode::ApiKey) => key()?.map(api_key),
        Some(Mode::Basic | Mode::Fields) => {
            let name = field_name(provider, args.field.as_deref())?;
            field_in(variable, value)?.map(|value| single_field(provider, &name, value))
        }
        // The access token of a login is a bearer token.
        _ => key()?.map(|token| Credential::Token { token }),
    })
}

/// The name of the field that is given.
fn field_name(provider: &Provider, field: Option<&str>) -> anyhow::Result<String> {
    let fields: Vec<String> = provider.all_fields().into_keys().collect();
    let what = provider.name.clone();
    match (field, fields.as_slice()) {
        (Some(field), known) if known.iter().any(|known| known == field) => Ok(field.to_owned()),
        (Some(field), _) => {
            let field = field.chars().take(32).collect();
            Err(ResolveError::NoField { what, field, fields }.into())
        }
        (None, [only]) => Ok(only.clone()),
        (None, several) => {
            let message = format!("{what} has several fields: {}", several.join(", "));
            Err(Failure::usage(message)
                .hint("name the field that the variable holds with --field NAME")
                .into())
        }
    }
}

fn to_json(found: &Resolved, field: Option<&str>, secret: Option<&Secret>) -> Value {
    let address = &found.address;
    let fields = found.fields.iter().filter(|known| field.is_none_or(|field| field == known.name));
    let fields: Vec<Value> = fields
        .map(|field| {
            json!({
                "name": field.name,
                "value": found.field(&field.name).as_ref().map(Secret::expose),
                "source": field.source.as_ref().map(Source::as_str),
                "variable": field.variable,
            })
        })
        .collect();
    json!({
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "kind": found.credential.kind().as_str(),
        "token": secret.map(Secret::expose),
        "fields": fields,
        "expires_at": found.metadata.expires_at.map(|at| at.to_string()),
        "host": found.metadata.host,
        "source": found.source.as_str(),
        "variable": found.source.variable(),
    })
}
