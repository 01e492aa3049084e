//! The little HTML that a stand-in shows to a browser.

use axum::response::Html;

/// A page with a heading and whatever follows it (which the caller has escaped).
pub fn page(heading: &str, body: &str) -> Html<String> {
    let heading = escape(heading);
    Html(format!("<!doctype html><meta charset=utf-8><title>{heading}</title><h1>{heading}</h1>{body}\n"))
}

/// Text as it may stand in HTML and in a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
