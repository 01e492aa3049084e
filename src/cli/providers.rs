//! `authenticate providers`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use authenticate::{
    ConfigError,
    config::yaml::{self, Problem},
    context::Context,
    provider::{self, Provider, registry},
};
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{exit, failure::Failure, output};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Show all columns, even if they are wider than the terminal
    #[arg(long)]
    wide: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Print the merged descriptor of a provider, and the file that each field is from
    Show {
        /// The provider, by its name or an alias
        name: String,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Report all problems of descriptor files
    Lint {
        /// The files to check [default: all in the configuration directory]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of descriptor files
    Schema,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    match args.verb {
        None => list(context, args.json, args.wide),
        Some(Verb::Show { name, json }) => show(context, &name, json),
        Some(Verb::Lint { files }) => lint(context, files),
        Some(Verb::Schema) => Ok(output::text(&serde_json::to_string_pretty(&provider::schema())?)?),
    }
}

fn list(context: &Context, json: bool, wide: bool) -> anyhow::Result<()> {
    let registry = context.registry();
    report(registry.problems());
    if json {
        let providers: Vec<Value> = registry.iter().map(to_json).collect();
        let problems: Vec<_> = registry.problems().iter().map(ToString::to_string).collect();
        return Ok(output::json(&json!({"providers": providers, "problems": problems}))?);
    }
    let rows = registry.iter().map(|p| {
        let modes: Vec<&str> = p.modes.iter().map(|mode| mode.as_str()).collect();
        vec![p.name.clone(), p.label.clone(), modes.join(", "), p.aliases.join(", "), origin(p)]
    });
    let can_lose: &[&str] = if wide { &[] } else { &["FROM", "ALIASES", "MODES"] };
    Ok(output::table(&["PROVIDER", "LABEL", "MODES", "ALIASES", "FROM"], rows.collect(), can_lose)?)
}

fn to_json(p: &Provider) -> Value {
    json!({
        "name": p.name, "label": p.label, "aliases": p.aliases, "modes": p.modes,
        "terms": p.terms, "from": p.layers().iter().map(|l| &l.source).collect::<Vec<_>>(),
    })
}

fn origin(provider: &Provider) -> String {
    match provider.layers() {
        [one] if one.source == "bundled" => "bundled".into(),
        [_] => "yours".into(),
        _ => "bundled + yours".into(),
    }
}

fn show(context: &Context, name: &str, json: bool) -> anyhow::Result<()> {
    let registry = context.registry();
    // A descriptor without its invalid files would be a different one.
    let merged = registry.usable(name).map_err(ConfigError::from)?.merged();
    report(registry.problems());
    if json {
        let origins: Vec<Value> =
            merged.sources.iter().map(|(place, from)| json!({"place": place, "from": from})).collect();
        return Ok(output::json(&json!({"provider": merged.value, "origins": origins}))?);
    }
    let mut text = String::new();
    let mut last = String::new();
    for (key, value) in merged.value.as_object().unwrap_or(&Map::new()) {
        let from = origin_of(key, &merged.sources);
        if from != last {
            text.push_str(&format!("# {from}\n"));
            last = from;
        }
        let one = Value::Object(Map::from_iter([(key.clone(), value.clone())]));
        text.push_str(&serde_yaml::to_string(&one)?);
    }
    Ok(output::text(&text)?)
}

/// The file that a field is from; part by part, if it is from several files.
fn origin_of(key: &str, origins: &BTreeMap<String, String>) -> String {
    let is_part =
        |place: &str| place.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let parts: Vec<_> = origins.iter().filter(|(place, _)| is_part(place)).collect();
    match parts.split_first() {
        None => String::new(),
        Some(((_, first), rest)) if rest.iter().all(|(_, from)| from == first) => format!("from {first}"),
        Some(_) => {
            let each: Vec<String> =
                parts.iter().map(|(place, from)| format!("{place} from {from}")).collect();
            each.join("; ")
        }
    }
}

fn lint(context: &Context, files: Vec<PathBuf>) -> anyhow::Result<()> {
    let problems = if files.is_empty() {
        context.registry().problems().to_vec()
    } else {
        files.iter().flat_map(|file| lint_file(context, file)).collect()
    };
    report(&problems);
    if problems.is_empty() {
        output::note("no problems found");
        return Ok(());
    }
    Err(Failure::reported(exit::USAGE).into())
}

fn lint_file(context: &Context, file: &Path) -> Vec<Problem> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    // Its permissions matter only in the directory from which descriptors are used.
    let directory = |path: &Path| path.canonicalize().ok();
    let is_used =
        file.parent().and_then(directory).is_some_and(|d| Some(d) == directory(&context.paths().providers()));
    let text = if is_used { yaml::read_file(file) } else { yaml::read_to_check(file) };
    let twin = is_used.then(|| yaml::duplicate(file, "provider")).flatten();
    let problems = match text {
        Ok(text) => {
            registry::lint_text(Some(&context.paths().providers()), &file.display().to_string(), &stem, &text)
        }
        Err(problem) => vec![problem],
    };
    twin.into_iter().chain(problems).collect()
}

/// Prints the problems of files.
pub fn report(problems: &[Problem]) {
    for problem in problems {
        output::error(&problem.to_string());
    }
}
