//! The login URL in what a CLI prints.

use std::collections::{BTreeSet, HashSet};

use authenticate::login::cli::url_finder::{FoundUrl, UrlFinder};
use url::Url;

pub fn run(data: &[u8]) {
    let Some((&columns, output)) = data.split_first() else { return };
    let columns = (columns != b'\n').then_some(u16::from(columns));
    let whole = find(columns, output, output.len().max(1));
    for FoundUrl { url, .. } in &whole {
        let parsed = Url::parse(url).expect("a URL");
        assert!(matches!(parsed.scheme(), "http" | "https") && parsed.has_host(), "{url}");
        assert!(!url.contains(|c: char| c.is_control() || c.is_whitespace()), "{url:?}");
    }
    assert!(whole.len() <= 8);
    assert_eq!(
        whole.iter().map(|found| &found.url).collect::<HashSet<_>>().len(),
        whole.len(),
        "one is given twice"
    );
    // However the output is cut into pieces; if it is text. The terminal's parser takes other bytes, and controls of more
    // than one byte, in one way when they come whole and in another when they are cut. And a backspace takes back what was
    // a URL in an earlier piece.
    let cut = |c: char| c == '\u{8}' || ('\u{80}'..='\u{9f}').contains(&c);
    if !std::str::from_utf8(output).is_ok_and(|text| !text.contains(cut)) {
        return;
    }
    let few = whole.len() < 8;
    let whole: BTreeSet<_> = whole.into_iter().collect();
    for size in [1, 7, 64] {
        let pieces: BTreeSet<_> = find(columns, output, size).into_iter().collect();
        assert!(!few || pieces == whole, "whole: {whole:?}, in pieces of {size}: {pieces:?}");
    }
}

fn find(columns: Option<u16>, output: &[u8], size: usize) -> Vec<FoundUrl> {
    let mut finder = UrlFinder::new(columns);
    let mut urls: Vec<FoundUrl> = output.chunks(size).flat_map(|piece| finder.feed(piece)).collect();
    urls.extend(finder.pause());
    urls
}
