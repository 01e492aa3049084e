//! Providers: their descriptors and the registry of them.

pub mod capture_map;
pub mod descriptor;
pub mod flow;
pub mod lint;
mod lint_flow;
pub mod one_or_many;
pub mod origin;
pub mod pattern;
pub mod registry;
pub mod run_args;
#[cfg(test)]
mod tests;

pub use crate::config::reference::{Reference, ReferenceError};
pub use capture_map::{CaptureEntry, Convert, FieldMap, FieldPath, Format};
pub use descriptor::{Descriptor, Mode};
pub use registry::{Provider, Registry, UnknownProvider, Unusable};

/// The JSON Schema of a descriptor file, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Descriptor)
}
