//! The capture map of a descriptor: where the vendor's files hold each part of a credential.
//!
//! A [`CaptureEntry`] is an entry as a descriptor writes it; a `PartMap` is the same entry, checked and compiled.

mod entry;
mod error;
mod field_path;
mod file_path;
mod part;
mod part_map;
mod pointer;

pub use entry::{Active, CaptureEntry, FieldMap, Format};
pub use error::CaptureMapError;
pub use field_path::{Convert, FieldPath, Place};
pub(crate) use file_path::FilePath;
pub(crate) use part::Part;
pub(crate) use part_map::{Condition, Field, FieldPlace, PartMap};
pub(crate) use pointer::{Pointer, look_up, pointer_text};
