//! The options of a login.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;

use super::direct::field_input::FieldInput;
use crate::{
    credential::{Name, Secret},
    engine::EngineSelector,
    provider::Mode,
};

/// The options of a login. The project, the provider or the person decides what is left out.
#[derive(Clone, Debug, Default)]
pub struct LoginOptions {
    /// The mode.
    pub mode: Option<Mode>,
    /// The key, for mode `api_key`.
    pub api_key: Option<Secret>,
    /// The bearer token, for mode `token`.
    pub token: Option<Secret>,
    /// The time when the key or token stops working.
    pub expires_at: Option<Timestamp>,
    /// The fields, for the modes `fields` and `basic`.
    pub fields: FieldInput,
    /// Store a key or token as it is, even if it does not look like one of the provider's.
    pub force: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
    /// The image, in place of the project's and the provider's.
    pub image: Option<String>,
    /// The engine, in place of the project's.
    pub engine: Option<EngineSelector>,
    /// The certificates to trust, in place of the project's: a PEM file.
    pub ca_bundle: Option<PathBuf>,
    /// Use the provider's `headless_command`, as if no browser could come back.
    pub headless: bool,
    /// The time limit. Default: 15 minutes, without the build of the image.
    pub timeout: Option<Duration>,
}
