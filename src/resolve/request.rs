//! What is asked for, and what is found.

use crate::{
    Error,
    credential::{Address, Credential, Metadata, Name, Secret},
    provider::Registry,
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The project; its file decides what is left open here.
    pub project: Name,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The provider, by its name or an alias.
    pub provider: String,
    /// The profile. One that is named is used or nothing is: never silently another one.
    pub profile: Option<Name>,
    /// A credential that is used in place of any other, for this request. It is stored nowhere.
    pub given: Option<Credential>,
    /// What of it is handed out. That there is no such part is an error.
    pub part: Part,
}

/// What of a credential is handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    All,
    /// The one value that a request is authorised with.
    Usable,
    /// One of its fields.
    Field(String),
}

impl Request {
    /// The credential of a provider for a project, whichever profile that is.
    pub fn new(project: &Name, provider: impl Into<String>) -> Self {
        let (project, provider) = (project.clone(), provider.into());
        Self { project, set: None, provider, profile: None, given: None, part: Part::All }
    }
}

/// Where the credential of a provider is, by its name or an alias: the default profile, if none is named. A name that no
/// provider has counts, for a credential outlives its descriptor.
///
/// # Errors
/// [`Error::UnknownProvider`] for what is no name either.
pub fn address_of(
    registry: &Registry,
    set: Name,
    provider: &str,
    profile: Option<&Name>,
) -> Result<Address, Error> {
    let provider = match registry.get(provider) {
        Ok(known) => known.name.parse()?,
        Err(unknown) => provider.parse().map_err(|_| unknown)?,
    };
    Ok(Address { set, provider, profile: profile.cloned().unwrap_or_else(Name::default_name) })
}

/// Where a credential, or a field of one, came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The request itself.
    Override,
    /// The store.
    Stored,
    /// An environment variable of the provider.
    Env(String),
}

impl Source {
    /// `override`, `stored` or `env`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Stored => "stored",
            Self::Env(_) => "env",
        }
    }

    /// The environment variable, if it is one.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Env(name) => Some(name),
            _ => None,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// A credential that can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where it is, or would be.
    pub address: Address,
    /// The credential, its blank fields filled from the environment.
    pub credential: Credential,
    /// What is known of it.
    pub metadata: Metadata,
    /// Where it came from.
    pub source: Source,
    /// Of kinds `fields` and `basic`: where each field came from, in the descriptor's order.
    pub fields: Vec<FieldSource>,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
}

/// Where a field came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSource {
    /// The field.
    pub name: String,
    /// `None`: it is blank, and so is its variable, if it has one.
    pub source: Option<Source>,
    /// The variable that would fill it.
    pub variable: Option<String>,
}

/// A profile of the project's order that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The profile.
    pub address: Address,
    /// Why.
    pub reason: SkipReason,
}

/// Why a profile was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Nothing is stored for it.
    NotStored,
    /// It has expired, and nothing can renew it.
    Expired,
    /// It has expired, and its vendor does not renew it any more, or it is not known whether it was renewed.
    NeedsLogin,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = match self.reason {
            SkipReason::NotStored => "is not stored",
            SkipReason::Expired => "has expired",
            SkipReason::NeedsLogin => "has to be logged in again",
        };
        write!(f, "{} {why}", self.address)
    }
}

impl Resolved {
    /// The one value that a request is authorised with. `None` where there are several fields, and no such value.
    pub fn usable(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Fields(_) if self.fields.len() > 1 => None,
            credential => credential.usable(),
        }
    }

    /// The value of a part; of all of it the one that is usable, if there is one.
    ///
    /// # Errors
    /// [`Error::SeveralFields`], [`Error::NoField`], [`Error::BlankField`]
    pub fn part(&self, part: &Part) -> Result<Option<Secret>, Error> {
        let what = || self.address.to_string();
        let fields = || self.fields.iter().map(|field| field.name.clone()).collect();
        let usable = self.usable().cloned();
        match part {
            Part::All => Ok(usable),
            Part::Usable if usable.is_none() => Err(Error::SeveralFields { what: what(), fields: fields() }),
            Part::Usable => Ok(usable),
            Part::Field(name) => {
                let Some(field) = self.fields.iter().find(|field| field.name == *name) else {
                    let field = name.chars().take(32).collect();
                    return Err(Error::NoField { what: what(), field, fields: fields() });
                };
                let blank = || Error::BlankField {
                    what: what(),
                    field: name.clone(),
                    variable: field.variable.clone(),
                };
                self.field(name).map(Some).ok_or_else(blank)
            }
        }
    }

    /// The value of a field; `None` if there is no such field, or it is blank.
    pub fn field(&self, name: &str) -> Option<Secret> {
        self.credential.field(name)
    }
}
