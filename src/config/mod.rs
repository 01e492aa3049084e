//! The configuration: its directories, project files, strict YAML, and values that a file only refers to.

pub mod container_values;
pub mod engine_selector;
pub mod env_value;
pub mod paths;
pub mod project;
pub mod reference;
pub mod suggest;
pub mod yaml;

pub use engine_selector::{EngineSelector, EngineSelectorError};
pub use paths::{Paths, PathsError};
pub use project::Project;
pub use reference::{ReferenceError, SecretReference};
