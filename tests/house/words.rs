//! A doc comment begins with a summary that can stand alone.

use crate::source::below;

const STARTS: [&str; 7] = ["What", "Whom", "Who", "Whose", "Of", "One", "The same"];

#[test]
fn a_summary_can_stand_alone() {
    let mut found = Vec::new();
    for source in ["src", "tests"].iter().flat_map(|directory| below(directory)) {
        let mut before = "";
        for (number, line) in source.text.lines().enumerate() {
            let line = line.trim_start();
            let is_first = !before.starts_with("///") && !before.starts_with("//!");
            let summary = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
            if let Some(summary) = summary.filter(|summary| is_first && depends(summary)) {
                found.push(format!("{}:{}: {summary}", source.path, number + 1));
            }
            before = line;
        }
    }
    assert!(found.is_empty(), "{} summaries: {found:#?}", found.len());
}

/// Whether a summary needs what it stands beside, or is a relative clause.
fn depends(summary: &str) -> bool {
    let starts = |word: &&&str| {
        let rest = summary.strip_prefix(**word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    STARTS.iter().any(|word| starts(&word)) || (summary.starts_with("As [`") && summary.ends_with("`]."))
}
