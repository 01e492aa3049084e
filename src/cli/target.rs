//! What a verb is about: a project, a provider, perhaps a profile.

use std::str::FromStr;

use authenticate::{
    credential::{Address, Name, NameError},
    resolve::Request,
};

/// `PROVIDER` or `PROVIDER:PROFILE`.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or alias.
    pub provider: String,
    /// The profile, if one is named.
    pub profile: Option<Name>,
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (provider, profile) = match text.split_once(':') {
            Some((provider, profile)) => (provider, Some(profile.parse()?)),
            None => (text, None),
        };
        if provider.is_empty() {
            provider.parse::<Name>()?;
        }
        Ok(Self { provider: provider.to_owned(), profile })
    }
}

// What asks for a credential to use. No doc comment: clap would show it in place of the verb's own.
#[derive(clap::Args)]
pub struct WantedArgs {
    /// The project
    pub project: Name,
    /// The provider, and perhaps the profile; else the first that can be used of the project's order, the default one or
    /// the only account
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    pub provider: Target,
    /// The credential set, in place of the project's
    #[arg(long)]
    set: Option<Name>,
}

impl WantedArgs {
    /// The credential that is asked for.
    pub fn request(&self) -> Request {
        Request {
            set: self.set.clone(),
            profile: self.provider.profile.clone(),
            ..Request::new(self.provider.provider.as_str())
        }
    }
}

/// An address as arguments of this program.
pub fn spelled(address: &Address) -> String {
    match address.profile.as_str() {
        authenticate::credential::DEFAULT => address.provider.to_string(),
        profile => format!("{}:{profile}", address.provider),
    }
}
