//! Commands that a hint tells people to type.

use crate::{
    config::Project,
    credential::{Address, DEFAULT, Name},
    redact,
};

/// Those of a project.
pub(crate) struct Commands<'a> {
    pub project: &'a Project,
    /// Its name, as it was typed.
    pub name: &'a Name,
}

impl Commands<'_> {
    /// Logs in at an address at which there is something.
    pub fn login(&self, address: &Address) -> String {
        self.at(address, |name, _| name)
    }

    /// The same, where there is nothing: its names are what somebody typed.
    pub fn login_typed(&self, address: &Address) -> String {
        self.at(address, redact::redact_or)
    }

    /// Reads the login of the vendor's own tool again.
    pub fn import(&self, address: &Address) -> String {
        format!("authenticate import {}", self.words(address, |name, _| name))
    }

    fn at<'a>(&'a self, address: &'a Address, name: fn(&'a str, &'a str) -> &'a str) -> String {
        let login = if is_verb(self.name.as_str()) { "login " } else { "" };
        format!("authenticate {login}{}", self.words(address, name))
    }

    fn words<'a>(&'a self, address: &'a Address, name: fn(&'a str, &'a str) -> &'a str) -> String {
        let profile = match address.profile.as_str() {
            DEFAULT => String::new(),
            profile => format!(":{}", name(profile, "PROFILE")),
        };
        let set = match self.project.set() == address.set {
            true => String::new(),
            false => format!(" --set {}", name(address.set.as_str(), "SET")),
        };
        let project = redact::redact_or(self.name.as_str(), "PROJECT");
        format!("{project} {}{profile}{set}", address.provider)
    }
}

/// Whether our command line takes the word for a verb where a project could stand.
pub fn is_verb(word: &str) -> bool {
    const VERBS: [&str; 16] = [
        "login",
        "import",
        "status",
        "token",
        "refresh",
        "logout",
        "revoke",
        "providers",
        "projects",
        "image",
        "store",
        "log",
        "doctor",
        "completions",
        "man",
        "help",
    ];
    VERBS.contains(&word)
}
