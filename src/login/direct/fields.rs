//! Named fields: what was given and what is asked for becomes a credential.

use std::io;

use indexmap::IndexMap;

use super::{api_key, basic, field_input::FieldInput};
use crate::{
    credential::{Credential, Secret},
    login::LoginError,
    provider::{Descriptor, Mode, descriptor::Field},
    redact::{quote, redact_name},
    ui::{FieldQuestion, Ui, UiError},
};

/// Why fields are refused. Names the field, never its value.
#[derive(Debug, thiserror::Error)]
pub enum FieldsError {
    /// The provider does not have the field.
    #[error("{provider} has no field {}; it has {}", quote(.field), .has.join(", "))]
    Unknown {
        /// The provider.
        provider: String,
        /// What was given, cut to a short text.
        field: String,
        /// What it has.
        has: Vec<String>,
    },
    /// The field was given more than once.
    #[error("field {} is given twice", quote(.field))]
    Twice {
        /// The field, cut to a short text.
        field: String,
    },
    /// Fields were neither given nor asked for.
    #[error("missing fields of {provider}: {}", .fields.join(", "))]
    Missing {
        /// The provider.
        provider: String,
        /// The fields.
        fields: Vec<String>,
    },
    /// A member of the JSON object is not a text.
    #[error("field {} is not a text", quote(.field))]
    NotText {
        /// The field, cut to a short text.
        field: String,
    },
    /// What was to be a JSON object is none.
    #[error("the fields are not one JSON object whose members are texts (line {line}, column {column})")]
    NotAnObject {
        /// Where it ceases to be one, from 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The value cannot be one of the field.
    #[error("field {field} is refused: {problem}")]
    Bad {
        /// The field.
        field: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// The value of a secret field was given where others can see it.
    #[error(
        "field {field} is secret, and other users of this machine could see it in the arguments; nothing was stored"
    )]
    Visible {
        /// The field.
        field: String,
    },
    /// There is nothing to store.
    #[error("every field of {provider} is blank: there is nothing to store")]
    AllBlank {
        /// The provider.
        provider: String,
    },
    /// The value could not be read from where it was said to be.
    #[error("cannot read field {}: {source}", redact_name(.field))]
    Source {
        /// The field, cut to a short text.
        field: String,
        /// Why.
        source: io::Error,
    },
}

impl FieldsError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let how = |field: &str| {
            format!(
                "use --field {field}=- for standard input, --field-file {field}=FILE, --field-env {field}=VAR, or \
                 --fields-json-stdin for all at once"
            )
        };
        match self {
            Self::Missing { fields, .. } => fields.first().map(|field| how(field)),
            Self::Visible { field } => Some(how(field)),
            _ => None,
        }
    }
}

/// The credential of a provider's mode `fields` or `basic`: of what was given, and of what is asked for.
///
/// # Errors
/// [`FieldsError`]; [`UiError`] when a question is dismissed
pub fn credential(
    provider: &Descriptor,
    mode: Mode,
    given: &FieldInput,
    ui: &dyn Ui,
) -> Result<Credential, LoginError> {
    let described = provider.all_fields();
    for (name, value) in given.iter() {
        let Some(field) = described.get(name) else {
            let has = described.keys().cloned().collect();
            return Err(
                FieldsError::Unknown { provider: provider.name.clone(), field: short(name), has }.into()
            );
        };
        if value.visible && field.secret && !value.secret.is_empty() {
            return Err(FieldsError::Visible { field: name.clone() }.into());
        }
        check(name, field, &value.secret)?;
    }
    let missing = || FieldsError::Missing {
        provider: provider.name.clone(),
        fields: described.keys().filter(|name| given.get(name).is_none()).cloned().collect(),
    };
    let mut fields = IndexMap::new();
    for (name, field) in &described {
        let value = match given.get(name) {
            Some(value) => value.secret.clone(),
            None if given.is_complete() => return Err(missing().into()),
            None => match ui.ask_field(&FieldQuestion { provider: &provider.label, name, field }) {
                Err(UiError::NoOneToAsk(_)) => return Err(missing().into()),
                answer => answer?,
            },
        };
        check(name, field, &value)?;
        fields.insert(name.clone(), value);
    }
    if fields.values().all(is_blank) {
        return Err(FieldsError::AllBlank { provider: provider.name.clone() }.into());
    }
    // A blank field is one that is not there: its variable fills it when it is used.
    fields.retain(|_, value| !is_blank(value));
    Ok(match mode {
        Mode::Basic => basic::credential(fields)?,
        _ => Credential::Fields(fields.into_iter().collect()),
    })
}

/// Neither stored nor used as a value.
pub fn is_blank(value: &Secret) -> bool {
    value.expose().trim().is_empty()
}

fn check(name: &str, field: &Field, value: &Secret) -> Result<(), FieldsError> {
    let bad = |problem: String| Err(FieldsError::Bad { field: name.to_owned(), problem });
    match (is_blank(value), &field.env_var) {
        (true, Some(_)) => return Ok(()),
        (true, None) => return bad("it is blank, and no variable could fill it".to_owned()),
        (false, _) => {}
    }
    api_key::check_form(value.expose()).or_else(|problem| bad(problem.to_owned()))
}

/// A name from outside, cut short: by a slip it may be a secret.
pub(in crate::login) fn short(name: &str) -> String {
    name.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Nobody;

    fn slack() -> Descriptor {
        let field = |label: &str, env_var: Option<&str>| Field {
            label: label.to_owned(),
            env_var: env_var.map(str::to_owned),
            secret: label != "Team",
        };
        let fields =
            [("bot", field("Bot", Some("BOT"))), ("app", field("App", None)), ("team", field("Team", None))];
        Descriptor {
            name: "acme".into(),
            modes: vec![Mode::Fields],
            fields: fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect(),
            ..Descriptor::default()
        }
    }

    fn field_input(values: &[(&str, &str, bool)]) -> FieldInput {
        let mut given = FieldInput::default();
        for (name, value, visible) in values {
            given.add(name, (*value).into(), *visible).expect("once");
        }
        given
    }

    fn made(values: &[(&str, &str, bool)]) -> Result<Credential, LoginError> {
        credential(&slack(), Mode::Fields, &field_input(values), &Nobody)
    }

    #[test]
    fn a_blank_field_with_a_variable_is_left_to_it() {
        let made =
            made(&[("bot", " ", false), ("app", "a", false), ("team", "t", true)]).expect("a credential");
        let Credential::Fields(fields) = made else { panic!("{made:?}") };
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["app", "team"]);
    }

    #[test]
    fn what_is_wrong_names_the_field_and_never_the_value() {
        let rest = [("app", "a", false), ("team", "t", true)];
        let with = |field: &'static str, value: &'static str, visible| {
            let others = rest.iter().filter(|(name, ..)| *name != field).copied();
            made(&others.chain([(field, value, visible)]).collect::<Vec<_>>())
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(with("bto", "CANARY", false), "acme has no field \"bto\"; it has bot, app, team");
        assert_eq!(
            with("app", " ", false),
            "field app is refused: it is blank, and no variable could fill it"
        );
        assert_eq!(with("bot", "CANARY\nx", false), "field bot is refused: it has more than one line");
        assert!(with("bot", "CANARY", true).starts_with("field bot is secret, and other users"));
        let missing = made(&[("team", "t", true)]).expect_err("missing");
        assert_eq!(missing.to_string(), "missing fields of acme: bot, app");
    }
}
