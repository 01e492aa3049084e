//! Rules for the capture map.

use super::form;
use crate::{
    config::yaml::Findings,
    provider::capture_map::{CaptureEntry, Field, Part, Pointer},
};

/// Finds every broken rule of an entry.
pub(super) fn lint(entry: &CaptureEntry) -> Findings {
    let mut findings = Findings::default();
    findings.check("file", form::relative_file(&entry.file));
    for part in entry.missing_parts() {
        findings.add("fields", format!("kind {} needs `{part}`", entry.kind));
    }
    for (part, path) in Part::all_in(&entry.fields) {
        findings.check(&format!("fields.{part}"), Field::compile(&part, path, entry.kind));
    }
    for path in entry.defaults.keys() {
        findings.check("defaults", Pointer::parse(path));
    }
    findings
}
