//! Recognizes URLs in text, and login URLs among them.

use url::Url;

/// Words in the paths of login pages.
const LOGIN_WORDS: [&str; 8] =
    ["auth", "login", "signin", "sign-in", "device", "activate", "verify", "connect"];

/// Returns where the first URL of a line starts.
pub(super) fn start(line: &str) -> Option<usize> {
    match (line.find("https://"), line.find("http://")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Returns where a URL ends that starts at the beginning of `text`.
pub(super) fn end(text: &str) -> usize {
    text.find(|c| !is_url_char(c)).unwrap_or(text.len())
}

pub(super) fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// Returns the URL in a line if other text follows it. White space does not count: it may be the edge of a frame.
pub(super) fn followed_by_text(line: &str) -> Option<&str> {
    let (before, text) = line.split_at(start(line)?);
    let (url, rest) = text.split_at(end(text));
    (!rest.trim().is_empty() && !is_complaint(before)).then(|| trim_punctuation(url))
}

/// Removes punctuation that ends a sentence and not the URL.
pub(super) fn trim_punctuation(url: &str) -> &str {
    url.trim_end_matches(['.', ',', ';', ':', '!', ')', ']', '\''])
}

/// Returns whether the URL after this text is one that a request failed for: HTTP libraries put it in brackets.
pub(super) fn is_complaint(before: &str) -> bool {
    let before = before.to_ascii_lowercase();
    before.ends_with('(') && ["error", "failed"].iter().any(|word| before.contains(word))
}

/// Returns whether a person logs in at this URL, by the words of its path or by the query of RFC 6749 section 4.1.1.
pub(super) fn is_login(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let queried =
        url.query_pairs().any(|(name, _)| matches!(&*name, "client_id" | "user_code" | "redirect_uri"));
    let is_callback = url.port().is_some() && url.path() == "/";
    let path = url.path().to_ascii_lowercase();
    let worded = LOGIN_WORDS.iter().any(|word| path.contains(word));
    // The URL may be opened on the host, and a container can print any: only schemes that a browser shows.
    // A user before the host looks like another host.
    let is_page = matches!(url.scheme(), "https" | "http") && url.has_host();
    let has_user = !url.username().is_empty() || url.password().is_some();
    is_page && !has_user && !is_callback && (queried || worded)
}
