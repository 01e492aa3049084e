//! Restores a terminal after a CLI that was stopped.

const ALTERNATE_ON: &[u8] = b"\x1b[?1049h";
const ALTERNATE_OFF: &[u8] = b"\x1b[?1049l";
/// Switches off bracketed paste, mouse modes, the kitty keyboard protocol and colours, and shows the cursor.
const RESET: &[u8] = b"\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[<u\x1b[0m\x1b[?25h";

/// The state of a terminal, as far as a CLI's output shows it.
#[derive(Default)]
pub(super) struct Screen {
    alternate: bool,
    changed: bool,
}

impl Screen {
    /// Takes a piece of the output.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let last = |what: &[u8]| bytes.windows(what.len()).rposition(|window| window == what);
        match (last(ALTERNATE_ON), last(ALTERNATE_OFF)) {
            (None, None) => {}
            (on, off) => self.alternate = on > off,
        }
        self.changed |= bytes.contains(&0x1b);
    }

    /// Returns the bytes that restore the terminal.
    pub(super) fn reset(&self) -> Vec<u8> {
        let leave = if self.alternate { ALTERNATE_OFF } else { b"" };
        let reset = if self.changed { RESET } else { b"" };
        [leave, reset].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(output: &[u8]) -> Vec<u8> {
        let mut screen = Screen::default();
        screen.feed(output);
        screen.reset()
    }

    #[test]
    fn reset_depends_on_what_the_cli_changed() {
        assert_eq!(reset(b"plain text"), b"");
        assert_eq!(reset(b"\x1b[31mred"), RESET);
        assert_eq!(reset(b"\x1b[?1049hfull screen"), [ALTERNATE_OFF, RESET].concat());
        assert_eq!(reset(b"\x1b[?1049hfull screen\x1b[?1049l"), RESET);
    }
}
