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

/// The name of a check and its result: a detail, or a failure whose hint is the fix.
type Check = (&'static str, Result<String, Failure>);

pub fn run(context: &Context, json: bool) -> anyhow::Result<()> {
    let mut checks = vec![
        ("providers", configuration::providers(context)),
        ("store", data::store(context)),
        ("projects", configuration::projects(context)),
        ("settings", configuration::settings(context)),
        ("locks", data::locks(context)),
    ];
    checks.extend(super::finish(engines::checks(context))?);
    let code = checks.iter().find_map(|(_, result)| result.as_ref().err()).map(|failure| failure.code);
    let printed = print(&checks, json, code.is_none());
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
            .map(|(name, result)| match result {
                Ok(detail) => json!({"check": name, "ok": true, "detail": detail, "fix": null}),
                Err(p) => json!({"check": name, "ok": false, "detail": p.message, "fix": p.hint}),
            })
            .collect();
        output::json(&json!({"ok": ok, "checks": list}))?;
    } else {
        for (name, result) in checks {
            match result {
                Ok(detail) => output::text(&format!("ok       {name}: {}", detail))?,
                Err(problem) => {
                    output::text(&format!("problem  {name}: {}", &problem.message))?;
                    output::text(&format!("         fix: {}", problem.hint.as_deref().unwrap_or_default()))?;
                }
            }
        }
    }
    Ok(())
}
