//! `authenticate doctor`

mod configuration;
mod data;
mod engines;

use authenticate::context::Context;
use serde_json::json;

use super::{
    exit,
    failure::{Failure, is_broken_pipe},
    output,
};

#[derive(clap::Args)]
pub struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The result of one check.
struct Check {
    name: &'static str,
    result: Result<String, Failure>,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let mut checks = vec![
        configuration::providers(context),
        data::store(context),
        configuration::projects(context),
        configuration::settings(context),
        data::locks(context),
    ];
    checks.extend(super::finish(engines::checks(context))?);
    // One usable engine is enough.
    let usable = checks.iter().any(|check| check.name == "engine" && check.result.is_ok());
    let failed = |check: &&Check| check.result.is_err() && !(usable && check.name == "engine");
    let code = checks.iter().find(failed).and_then(|check| check.result.as_ref().err()).map(|p| p.code);
    let printed = print(&checks, args.json, code.is_none());
    match code {
        None => printed,
        // The exit code stays even if the reader closed our output.
        Some(code) => printed
            .or_else(|error| if is_broken_pipe(&error) { Ok(()) } else { Err(error) })
            .and(Err(Failure::reported(code).into())),
    }
}

fn print(checks: &[Check], json: bool, ok: bool) -> anyhow::Result<()> {
    if json {
        let list: Vec<_> = checks
            .iter()
            .map(|check| match &check.result {
                Ok(detail) => json!({"check": check.name, "ok": true, "detail": detail, "fix": null}),
                Err(p) => json!({"check": check.name, "ok": false, "detail": p.message, "fix": p.hint}),
            })
            .collect();
        output::json(&json!({"schema": 1, "ok": ok, "checks": list}))?;
    } else {
        for check in checks {
            match &check.result {
                Ok(detail) => output::text(&format!("ok       {}: {}", check.name, output::safe(detail)))?,
                Err(problem) => {
                    output::text(&format!("problem  {}: {}", check.name, output::safe(&problem.message)))?;
                    output::text(&format!(
                        "         fix: {}",
                        output::safe(problem.hint.as_deref().unwrap_or_default())
                    ))?;
                }
            }
        }
    }
    Ok(())
}
