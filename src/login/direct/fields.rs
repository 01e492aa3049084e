//! The modes `fields` and `basic`: given and prompted values become a credential.

use indexmap::IndexMap;

pub use super::error::FieldsError;
use super::{error::truncated, field_input::FieldInput};
use crate::{
    credential::{Credential, Secret, pasted},
    login::LoginError,
    provider::{
        Descriptor, Mode,
        descriptor::{Field, PASSWORD, USERNAME},
    },
    ui::{FieldQuestion, Ui, UiError},
};

/// Makes the credential of mode `fields` or `basic` from the given values and those of the `current` one, and asks for the
/// missing ones.
///
/// # Errors
/// [`FieldsError`]; [`UiError`] when a question is dismissed.
pub fn credential(
    provider: &Descriptor,
    mode: Mode,
    given: &FieldInput,
    current: Option<&Credential>,
    ui: &dyn Ui,
) -> Result<Credential, LoginError> {
    let described = provider.all_fields();
    for (name, value) in given.iter() {
        let Some(field) = described.get(name) else {
            let has = described.keys().cloned().collect();
            return Err(FieldsError::Unknown {
                provider: provider.name.clone(),
                field: truncated(name),
                has,
            }
            .into());
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
        let stays = || match current?.field(name) {
            None if field.env_var.is_some() => Some(Secret::new("")),
            value => value,
        };
        let value = match given.get(name).map(|value| value.secret.clone()).or_else(stays) {
            Some(value) => value,
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
    // A blank field is not stored: its variable fills it when it is used.
    fields.retain(|_, value| !is_blank(value));
    Ok(match mode {
        Mode::Basic => basic(fields)?,
        _ => Credential::Fields(fields.into_iter().collect()),
    })
}

/// Makes the credential of the fields `username` and `password` (RFC 7617).
fn basic(mut fields: IndexMap<String, Secret>) -> Result<Credential, FieldsError> {
    let mut take = |name| fields.swap_remove(name).unwrap_or_else(|| Secret::new(""));
    let username = take(USERNAME);
    if username.expose().contains(':') {
        // It would end there (RFC 7617 section 2).
        let problem = "a user name has no colon".to_owned();
        return Err(FieldsError::Bad { field: USERNAME.to_owned(), problem });
    }
    Ok(Credential::Basic { username: username.expose().to_owned(), password: take(PASSWORD) })
}

/// Whether a value is blank, and so neither stored nor used.
fn is_blank(value: &Secret) -> bool {
    value.expose().trim().is_empty()
}

fn check(name: &str, field: &Field, value: &Secret) -> Result<(), FieldsError> {
    let invalid = |problem: String| Err(FieldsError::Bad { field: name.to_owned(), problem });
    match (is_blank(value), &field.env_var) {
        (true, Some(_)) => return Ok(()),
        (true, None) => return invalid("it is blank, and no variable could fill it".to_owned()),
        (false, _) => {}
    }
    pasted::check_form(value.expose()).or_else(|problem| invalid(problem.to_owned()))
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

    fn result(values: &[(&str, &str, bool)]) -> Result<Credential, LoginError> {
        credential(&slack(), Mode::Fields, &field_input(values), None, &Nobody)
    }

    #[test]
    fn blank_field_with_a_variable_is_not_stored() {
        let credential =
            result(&[("bot", " ", false), ("app", "a", false), ("team", "t", true)]).expect("a credential");
        let Credential::Fields(fields) = credential else { panic!("{credential:?}") };
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["app", "team"]);
    }

    #[test]
    fn error_of_a_field_names_it_and_never_its_value() {
        let rest = [("app", "a", false), ("team", "t", true)];
        let with = |field: &'static str, value: &'static str, visible| {
            let others = rest.iter().filter(|(name, ..)| *name != field).copied();
            result(&others.chain([(field, value, visible)]).collect::<Vec<_>>())
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
        let missing = result(&[("team", "t", true)]).expect_err("missing");
        assert_eq!(missing.to_string(), "missing fields of acme: bot, app");
    }
}
