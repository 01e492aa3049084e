//! The targets, a file for each kind of input.

mod backup;
mod capture;
mod credential;
mod descriptor;
mod oauth;
mod project;
mod redirect;
mod store;
mod terminal;
mod words;

use authenticate::provider::Format;

/// Something that takes what others wrote.
#[derive(Clone, Copy)]
pub struct Target {
    /// Also of its corpus.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// All targets.
pub const ALL: &[Target] = &[
    target("backup", backup::sealed),
    target("backup_content", backup::content),
    target("capture_dotenv", |data| capture::run(Format::Dotenv, data)),
    target("capture_json", |data| capture::run(Format::Json, data)),
    target("capture_toml", |data| capture::run(Format::Toml, data)),
    target("capture_yaml", |data| capture::run(Format::Yaml, data)),
    target("credential", credential::run),
    target("descriptor", descriptor::run),
    target("oauth_device", oauth::device),
    target("oauth_discovery", oauth::discovery),
    target("oauth_token", oauth::token),
    target("project", project::run),
    target("redirect", redirect::run),
    target("store", store::run),
    target("terminal", terminal::run),
    target("words", words::run),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The target of that name.
pub fn find(name: &str) -> Option<Target> {
    ALL.iter().find(|target| target.name == name).copied()
}

/// The first line, and the rest.
fn first_line(data: &[u8]) -> Option<(&str, &[u8])> {
    let at = data.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&data[..at]).ok()?, &data[at + 1..]))
}
