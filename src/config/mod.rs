//! The configuration: directories, project files, strict YAML, values that the environment holds.

pub mod env_value;
pub mod paths;
pub mod project;
pub mod reference;
pub mod suggest;
pub mod yaml;

pub use paths::{Paths, PathsError};
pub use project::Project;
pub use reference::{Reference, ReferenceError};
