//! Providers: their descriptors and the registry of them.

pub mod capture_map;
pub mod descriptor;
pub mod one_or_many;

pub use capture_map::{CaptureEntry, Convert, FieldMap, FieldPath, Format};
pub use descriptor::{Descriptor, Mode};
