//! The parameters of a request to an authorization server, and their two encodings.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::credential::to_json;

/// Parameters whose values are public, and part of ordinary error descriptions.
const PUBLIC: [&str; 6] = [
    "grant_type",
    "token_type_hint",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
    "scope",
];

/// Request parameters in order, each name at most once (RFC 6749 section 3.2). The values are wiped on drop.
#[derive(Default)]
pub(super) struct Form<'a> {
    parameters: Vec<(&'a str, Zeroizing<String>)>,
}

impl<'a> Form<'a> {
    /// Starts the form of a token request.
    pub(super) fn grant(grant_type: &'static str) -> Self {
        Self::default().with("grant_type", grant_type)
    }

    /// Sets a parameter, in place of an earlier one of that name.
    pub(super) fn with(mut self, name: &'a str, value: &str) -> Self {
        let value = Zeroizing::new(value.to_owned());
        match self.parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.parameters.push((name, value)),
        }
        self
    }

    /// Sets a parameter if it has a value.
    pub(super) fn with_some(self, name: &'a str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Sets `scope` (RFC 6749 section 3.3) unless there are no scopes, and further parameters.
    pub(super) fn with_scopes_and_parameters(
        self,
        scopes: &[String],
        parameters: &'a BTreeMap<String, String>,
    ) -> Self {
        let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
        self.with_some("scope", scope.as_deref()).with_parameters(parameters)
    }

    /// Sets the parameters that a descriptor adds to a request.
    pub(super) fn with_parameters(self, parameters: &'a BTreeMap<String, String>) -> Self {
        parameters.iter().fold(self, |form, (name, value)| form.with(name, value))
    }

    /// Encodes the parameters as `application/x-www-form-urlencoded`.
    pub(super) fn urlencoded(&self) -> Zeroizing<Vec<u8>> {
        // Large enough from the start: a buffer that grows leaves copies behind.
        let size = self.parameters.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(size));
        form.extend_pairs(self.parameters.iter().map(|(name, value)| (name, value.as_str())));
        Zeroizing::new(form.finish().into_bytes())
    }

    /// Encodes the parameters as a JSON object of strings, for vendors that take no forms.
    pub(super) fn json(&self) -> Zeroizing<Vec<u8>> {
        let members: IndexMap<_, _> =
            self.parameters.iter().map(|(name, value)| (name, value.as_str())).collect();
        to_json(&members)
    }

    /// Returns the values that no message may repeat.
    pub(super) fn into_private_values(self) -> impl Iterator<Item = Zeroizing<String>> {
        self.parameters.into_iter().filter(|(name, _)| !PUBLIC.contains(name)).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_with_a_name_set_twice_sends_the_last_value_once() {
        let scopes = ["s".to_owned(), "t".to_owned()];
        let parameters = BTreeMap::from([("audience".into(), "é".into()), ("code".into(), "d=".into())]);
        let form = || Form::grant("x").with("code", "a b&c").with_scopes_and_parameters(&scopes, &parameters);
        assert_eq!(form().urlencoded().as_slice(), b"grant_type=x&code=d%3D&scope=s+t&audience=%C3%A9");
        assert_eq!(form().json().as_slice(), {
            r#"{"grant_type":"x","code":"d=","scope":"s t","audience":"é"}"#.as_bytes()
        });
    }

    #[test]
    fn form_without_scopes_has_no_scope_parameter() {
        assert_eq!(
            Form::grant("x")
                .with_scopes_and_parameters(&[], &BTreeMap::new())
                .with_some("y", None)
                .urlencoded()
                .as_slice(),
            b"grant_type=x"
        );
    }

    #[test]
    fn encoding_never_outgrows_its_buffer() {
        let worst = "\u{1}\"é".repeat(100);
        let form = Form::default().with("n", &worst);
        let (urlencoded, json) = (form.urlencoded(), form.json());
        assert!(urlencoded.capacity() <= 3 * (worst.len() + 1) + 2 && json.capacity() == json.len());
    }
}
