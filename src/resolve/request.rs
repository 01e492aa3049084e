//! Requests for a credential, and their results.

use super::ResolveError;
use crate::credential::{Address, Credential, Metadata, Name, Record, Secret};

/// A request for the credential of a provider, for the project of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The provider, by its name or an alias.
    pub provider: String,
    /// The profile: if it is named, never another one is used.
    pub profile: Option<Name>,
    /// A credential to use for this request in place of any other. It is not stored.
    pub given: Option<Credential>,
    /// The part to hand out. It is an error if the credential has no such part.
    pub part: Part,
}

/// The part of a credential that is handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The whole credential.
    #[default]
    All,
    /// The single value that authorizes a request.
    Usable,
    /// A field, by its name.
    Field(String),
}

impl Request {
    /// A request for the whole credential of a provider, whichever profile that is.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { set: None, provider: provider.into(), profile: None, given: None, part: Part::All }
    }
}

/// The origin of a credential or of a field.
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
    /// The address at which it is or would be stored.
    pub address: Address,
    /// The credential, its blank fields filled from the environment.
    pub credential: Credential,
    /// The metadata.
    pub metadata: Metadata,
    /// The origin.
    pub source: Source,
    /// For the kinds `fields` and `basic`: the origin of each field, in the descriptor's order.
    pub fields: Vec<FieldSource>,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
}

/// A field and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSource {
    /// The name of the field.
    pub name: String,
    /// The origin; `None` for a field that is blank, and whose variable is, too.
    pub source: Option<Source>,
    /// The variable that would fill it.
    pub variable: Option<String>,
}

/// A profile of the project's order that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The profile.
    pub address: Address,
    /// The reason.
    pub reason: SkipReason,
}

/// The reason why a profile was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Nothing is stored for it.
    NotStored,
    /// It has expired, and nothing can refresh it.
    Expired,
    /// It has expired, and its vendor has rejected its refresh token, or the outcome of the last refresh is unknown.
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
    /// The single value that authorizes a request; `None` for a credential with several fields.
    pub fn usable(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Fields(_) if self.fields.len() > 1 => None,
            credential => credential.usable(),
        }
    }

    /// The value of a part; for the whole credential its usable value, if it has one.
    ///
    /// # Errors
    /// [`ResolveError::SeveralFields`], [`ResolveError::NoField`], [`ResolveError::BlankField`]
    pub fn part(&self, part: &Part) -> Result<Option<Secret>, ResolveError> {
        let address = || Box::new(self.address.clone());
        let fields = || self.fields.iter().map(|field| field.name.clone()).collect();
        let usable = self.usable().cloned();
        match part {
            Part::All => Ok(usable),
            Part::Usable if usable.is_none() => {
                Err(ResolveError::SeveralFields { address: address(), fields: fields() })
            }
            Part::Usable => Ok(usable),
            Part::Field(name) => {
                let Some(field) = self.fields.iter().find(|field| field.name == *name) else {
                    let field = name.chars().take(32).collect();
                    return Err(ResolveError::NoField {
                        what: self.address.to_string(),
                        field,
                        fields: fields(),
                    });
                };
                let blank = || ResolveError::BlankField {
                    address: address(),
                    field: name.clone(),
                    variable: field.variable.clone(),
                };
                self.field(name).map(Some).ok_or_else(blank)
            }
        }
    }

    /// The value of a field; `None` for a field that is missing or blank.
    pub fn field(&self, name: &str) -> Option<Secret> {
        self.credential.field(name)
    }
}

impl Resolved {
    /// A stored credential.
    pub(crate) fn stored(record: Record) -> Self {
        let Record { address, credential, metadata, .. } = record;
        let fields = fields_from(&credential, &Source::Stored);
        Self { address, credential, metadata, source: Source::Stored, fields, skipped: Vec::new() }
    }
}

/// The fields of a credential that comes from one place.
pub(crate) fn fields_from(credential: &Credential, source: &Source) -> Vec<FieldSource> {
    let field = |name| FieldSource { name, source: Some(source.clone()), variable: None };
    credential.field_names().into_iter().map(field).collect()
}
