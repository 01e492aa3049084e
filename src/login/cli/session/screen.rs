//! Follows a CLI's changes of the terminal, and undoes them at its end.

use std::collections::BTreeSet;

use vte::{Params, Parser, Perform};

/// Modes (DECSET) that are on in a terminal that nothing has changed: wrapping, repeating keys, the cursor.
const USUALLY_ON: [u16; 3] = [7, 8, 25];
/// Modes that show the alternate screen.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];
/// Mode 1048 saves the cursor; there is nothing to undo.
const SAVED_CURSOR: u16 = 1048;
/// The number of changes that are remembered: more than there are.
const MAX_CHANGES: usize = 64;
const STANDARD_CHARSETS: &str = "\x0f\x1b(B\x1b)B";
/// Asks the terminal whether it works (DSR), which it answers after everything that it was asked before.
const ASK: &str = "\x1b[5n";
/// The answer to [`ASK`].
pub(super) const ANSWER: &[u8] = b"\x1b[0n";

/// The state of a terminal, as far as a CLI's output shows it.
#[derive(Default)]
pub(super) struct Screen {
    parser: Parser,
    changes: Changes,
}

#[derive(Default)]
struct Changes {
    /// The modes that are not as usual.
    modes: BTreeSet<u16>,
    /// The sequences that undo other changes.
    undo: BTreeSet<String>,
    /// The states that were pushed to the stack of the kitty keyboard protocol.
    keyboards: u16,
    /// Whether the terminal was asked a question, whose answer may be on its way.
    is_asked: bool,
}

impl Screen {
    /// Takes a piece of the output.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.changes, bytes);
    }

    /// Returns the bytes that undo the changes, and whether the terminal will send [`ANSWER`] then.
    pub(super) fn reset(&self) -> (Vec<u8>, bool) {
        let Changes { modes, undo, keyboards, is_asked } = &self.changes;
        let (alternate, others): (Vec<u16>, Vec<u16>) =
            modes.iter().partition(|mode| ALTERNATE.contains(mode));
        let mut reset = String::new();
        for mode in alternate.into_iter().chain(others) {
            let usual = if USUALLY_ON.contains(&mode) { 'h' } else { 'l' };
            reset.push_str(&format!("\x1b[?{mode}{usual}"));
        }
        if *keyboards > 0 {
            reset.push_str(&format!("\x1b[<{keyboards}u"));
        }
        reset.extend(undo.iter().map(String::as_str));
        if *is_asked {
            reset.push_str(ASK);
        }
        (reset.into_bytes(), *is_asked)
    }
}

impl Changes {
    fn mode(&mut self, mode: u16, on: bool) {
        if on == USUALLY_ON.contains(&mode) {
            self.modes.remove(&mode);
        } else if mode != SAVED_CURSOR && self.modes.len() < MAX_CHANGES {
            self.modes.insert(mode);
        }
    }

    fn undo_by(&mut self, sequence: impl Into<String>) {
        if self.undo.len() < MAX_CHANGES {
            self.undo.insert(sequence.into());
        }
    }
}

impl Perform for Changes {
    fn execute(&mut self, byte: u8) {
        // Shift out: the other character set.
        if byte == 14 {
            self.undo_by(STANDARD_CHARSETS);
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        let numbers: Vec<u16> = params.iter().filter_map(|param| param.first().copied()).collect();
        let first = numbers.first().copied().unwrap_or_default();
        match (intermediates, action) {
            (b"?", 'h' | 'l') => numbers.iter().for_each(|mode| self.mode(*mode, action == 'h')),
            (b"", 'h') => numbers.iter().for_each(|mode| self.undo_by(format!("\x1b[{mode}l"))),
            (b"", 'm') => self.undo_by("\x1b[0m"),
            // Without a region the cursor goes to the top, so it is saved and restored.
            (b"", 'r') => self.undo_by("\x1b7\x1b[r\x1b8"),
            (b" ", 'q') => self.undo_by("\x1b[0 q"),
            (b">", 'm') => self.undo_by(format!("\x1b[>{first}m")),
            (b">", 'u') => self.keyboards = self.keyboards.saturating_add(1),
            (b"<", 'u') => self.keyboards = self.keyboards.saturating_sub(first.max(1)),
            (b"=", 'u') => self.undo_by("\x1b[=0u"),
            (b"" | b"?", 'n') | (b"" | b">" | b"=", 'c') | (b"?", 'u') | (b">", 'q') | (b"", 'x') => {
                self.is_asked = true;
            }
            (b"?$" | b"$", 'p') => self.is_asked = true,
            (b"", 't') => self.is_asked |= first > 10,
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        match (intermediates, byte) {
            (b"(" | b")" | b"*" | b"+", _) | (b"", b'n' | b'o') => self.undo_by(STANDARD_CHARSETS),
            (b"", b'=') => self.undo_by("\x1b>"),
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        let number = params.first().and_then(|number| std::str::from_utf8(number).ok()?.parse::<u16>().ok());
        // Colours: the palette, and those of the text, its background, the cursor and others.
        let Some(number @ (4 | 5 | 10..=19 | 52)) = number else { return };
        if params.contains(&b"?".as_slice()) {
            self.is_asked = true;
        } else if number != 52 {
            self.undo_by(format!("\x1b]{}\x07", number + 100));
        }
    }

    fn hook(&mut self, _: &Params, intermediates: &[u8], _: bool, action: char) {
        self.is_asked |= matches!((intermediates, action), (b"$" | b"+", 'q'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(output: &str) -> String {
        let mut screen = Screen::default();
        output.as_bytes().chunks(3).for_each(|piece| screen.feed(piece));
        String::from_utf8(screen.reset().0).expect("text")
    }

    #[test]
    fn reset_undoes_what_the_cli_left_changed_and_nothing_else() {
        for (output, expected) in [
            ("plain text\x1b[2J\x1b]0;title\x07", ""),
            ("\x1b[31mred", "\x1b[0m"),
            ("\x1b[?25;1000;2004h\x1b[?7l", "\x1b[?7h\x1b[?1000l\x1b[?2004l"),
            ("\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"),
            ("\x1b[?1049h\x1b[?1h\x1b[?2004h\x1b[?2004l\x1b[?1l\x1b[?1049l", ""),
            ("\x1b[2;10r", "\x1b7\x1b[r\x1b8"),
            ("\x1b(0lqk\x1b(B", STANDARD_CHARSETS),
            ("\x0e", STANDARD_CHARSETS),
            ("\x1b]4;1;red\x07\x1b]11;#000\x1b\\", "\x1b]104\x07\x1b]111\x07"),
            ("\x1b[>1u\x1b[>5u\x1b[<u\x1b[>4;2m", "\x1b[<1u\x1b[>4m"),
            ("\x1b[5 q\x1b[4h\x1b=", "\x1b>\x1b[0 q\x1b[4l"),
        ] {
            assert_eq!(reset(output), expected, "{output:?}");
        }
    }

    #[test]
    fn question_to_the_terminal_is_noticed() {
        for question in [
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[c",
            "\x1b[>0c",
            "\x1b[?u",
            "\x1b[>q",
            "\x1b[?2026$p",
            "\x1b[14t",
            "\x1b]11;?\x07",
            "\x1b]4;1;?\x1b\\",
            "\x1bP+q544e\x1b\\",
        ] {
            assert!(reset(question).ends_with(ASK), "{question:?}");
        }
    }
}
