//! Joins URLs that a CLI has wrapped over several lines, and tells where that is a guess.

use super::url;

/// The number of lines that a URL covers at most.
const MAX_LINES: usize = 64;
/// The number of columns that a CLI that wraps its own output leaves free at most.
const MARGIN: usize = 2;
/// The width from which a line may have been wrapped by a CLI that does not know the terminal.
const WRAPPED_WIDTH: usize = 60;
/// The width from which a line may have been wrapped at all.
const NARROWEST: usize = 30;

/// A line of output.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether a newline ended it; else the cursor was moved away.
    pub(super) is_ended: bool,
}

/// A URL in the lines, joined over several lines if it was wrapped.
pub(super) struct Joined {
    pub(super) text: String,
    /// The last line that it covers.
    pub(super) last: usize,
    /// Whether something follows it.
    pub(super) is_followed: bool,
    /// Whether it certainly begins and ends so.
    pub(super) is_certain: bool,
}

/// The relation of the next line to a URL at the end of a line.
enum Next<'a> {
    /// Another text.
    Apart,
    /// Perhaps the URL's continuation.
    Doubtful,
    /// The URL's continuation, certainly or by the best guess.
    Continues { text: &'a str, is_certain: bool },
}

/// Joins the URL that starts at `start` of line `first` with its continuations in the lines below.
pub(super) fn join(lines: &[Line], first: usize, start: usize, widths: &[usize]) -> Joined {
    let mut text = lines[first].text[start..].to_owned();
    let (mut last, mut is_certain) = (first, true);
    while url::end(&text) == text.len() && last - first < MAX_LINES {
        is_certain &= lines[last].is_ended;
        match next(lines, first, last, widths) {
            Next::Apart => break,
            Next::Doubtful => {
                is_certain = false;
                break;
            }
            Next::Continues { text: more, is_certain: certainly } => {
                text.push_str(more);
                is_certain &= certainly;
                last += 1;
            }
        }
    }
    let is_followed = url::end(&text) < text.len() || last + 1 < lines.len();
    Joined { text, last, is_followed, is_certain }
}

fn next<'a>(lines: &'a [Line], first: usize, last: usize, widths: &[usize]) -> Next<'a> {
    let (line, Some(next)) = (&lines[last].text, lines.get(last + 1)) else { return Next::Apart };
    let next = &next.text;
    // A frame or an indent, the same in every line.
    let indent = line.len() - line.trim_start().len();
    let is_aligned = next.bytes().take(indent).all(|byte| byte == b' ');
    let text = next.get(indent..).filter(|_| is_aligned).unwrap_or(next);
    let word = &text.trim_start()[..url::end(text.trim_start())];
    if word.is_empty() || url::start(word) == Some(0) {
        return Next::Apart;
    }
    let (width, next_width) = (line.chars().count(), next.chars().count());
    let is_alone = word.len() == text.trim_start().len();
    let is_odd = word.contains(|c: char| c.is_ascii_digit() || "%&=_".contains(c));
    let is_full = widths.contains(&width) || last > first && lines[last - 1].text.chars().count() == width;
    let is_nearly_full = widths.iter().any(|columns| width <= *columns && width + MARGIN >= *columns);
    // A full line and another one without a break are no coincidence.
    let is_block = is_alone && width == next_width && width >= NARROWEST;
    let is_wrapped_blindly = is_alone && width >= WRAPPED_WIDTH && has_query(&lines[first].text);
    if text.starts_with(word)
        && (is_full || is_block || (is_alone || is_odd) && is_nearly_full || is_wrapped_blindly)
    {
        return Next::Continues { text, is_certain: is_block || is_full && is_alone && is_odd };
    }
    let narrowest = if is_odd { NARROWEST } else { WRAPPED_WIDTH };
    if is_nearly_full || is_alone && width >= narrowest { Next::Doubtful } else { Next::Apart }
}

/// Returns whether the URL of a line has a query: only such a URL gets long enough to be wrapped by a CLI that does not
/// know the terminal.
fn has_query(line: &str) -> bool {
    url::start(line).is_some_and(|start| line[start..].contains('?'))
}
