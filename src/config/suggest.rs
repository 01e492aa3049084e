//! "Did you mean": the known name that is nearest to a wrong one.

/// Finds the candidate nearest to `wrong`, if it is near enough to be a typing error.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wrong, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(wrong.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_found_unless_it_is_too_far() {
        let known = ["claude", "codex", "gh"];
        assert_eq!(nearest("cluade", known), Some("claude"));
        assert_eq!(nearest("Codex", known), Some("codex"));
        assert_eq!(nearest("kubernetes", known), None);
    }
}
