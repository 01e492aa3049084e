//! Rules for the capture map.

use super::{Findings, form};
use crate::provider::capture_map::{CaptureEntry, Field, Part, Pointer};

impl Findings {
    pub(super) fn capture(&mut self, index: usize, entry: &CaptureEntry) {
        let place = format!("capture[{index}]");
        let fields = format!("{place}.fields");
        self.check(&format!("{place}.file"), form::relative_file(&entry.file));
        for part in entry.missing_parts() {
            self.add(&fields, format!("kind {} needs `{part}`", entry.kind));
        }
        for (part, path) in Part::all_in(&entry.fields) {
            self.check(&format!("{fields}.{part}"), Field::compile(&part, path, entry.kind));
        }
        for path in entry.defaults.keys() {
            self.check(&format!("{place}.defaults"), Pointer::parse(path));
        }
    }
}
