//! Providers: their descriptors, the lint of these, and the registry.

pub mod capture_map;
pub mod descriptor;
mod error;
pub mod flow;
pub mod layers;
pub mod lint;
pub mod one_or_many;
pub mod pattern;
pub mod refresh;
pub mod registry;
pub mod run_args;
#[cfg(test)]
mod tests;

pub use crate::config::{ReferenceError, SecretReference};
pub use capture_map::{CaptureEntry, Convert, FieldMap, FieldPath, Format, Place};
pub use descriptor::{Descriptor, Mode};
pub use error::{UnknownProvider, Unusable};
pub use layers::Provider;
pub use registry::Registry;

/// The JSON Schema of a descriptor file, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Descriptor)
}
