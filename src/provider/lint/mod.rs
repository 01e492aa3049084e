//! Rules for a descriptor that its types do not express.

mod capture;
mod container;
mod flow;
mod form;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    descriptor::{ApiKey, Descriptor, Mode, PASSWORD, Refresh, RefreshStrategy, USERNAME},
    pattern,
};
pub use crate::config::yaml::Finding;
use crate::config::{container_values::check_env_name, env_value};
pub use form::{header_value, https};

/// Finds every broken rule of a complete descriptor: for a user's override, the one merged over the bundled
/// descriptor.
pub fn lint(descriptor: &Descriptor) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.names(descriptor);
    findings.modes(descriptor);
    findings.container(descriptor);
    for (index, entry) in descriptor.capture.iter().enumerate() {
        findings.capture(index, entry);
    }
    findings.vendor_files(descriptor);
    findings.api_key_and_token(descriptor);
    findings.endpoints(descriptor);
    findings.flows(descriptor);
    findings.account(descriptor);
    findings.headers(descriptor);
    findings.fields(descriptor);
    findings.0
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), message: message.into() });
    }

    fn check<T>(&mut self, path: &str, result: Result<T, impl Into<String>>) {
        if let Err(message) = result {
            self.add(path, message);
        }
    }

    fn names(&mut self, d: &Descriptor) {
        self.check("name", form::name(&d.name));
        for (index, alias) in d.aliases.iter().enumerate() {
            self.check(&format!("aliases[{index}]"), form::name(alias));
        }
    }

    fn modes(&mut self, d: &Descriptor) {
        if d.modes.is_empty() {
            self.add("modes", "a provider needs at least one mode");
        }
        if has_duplicate(&d.modes) {
            self.add("modes", "a mode is given twice");
        }
        for mode in &d.modes {
            let missing = match mode {
                flow if Mode::OAUTH_FLOWS.contains(flow) => d.flow(*flow).is_none(),
                Mode::Fields => d.fields.is_empty(),
                _ => false,
            };
            if missing {
                self.add("modes", format!("mode {mode} needs the block `{mode}`"));
            }
        }
        if d.modes.contains(&Mode::Fields) && d.modes.contains(&Mode::Basic) {
            self.add("modes", "mode basic is the fields username and password: use one of basic and fields");
        }
    }

    fn vendor_files(&mut self, d: &Descriptor) {
        if let Some(path) = &d.home_dir {
            self.check("home_dir", form::below_home(path));
        }
        for file in d.post_capture_state.keys() {
            self.check(&format!("post_capture_state.{file}"), form::relative_file(file));
        }
    }

    fn api_key_and_token(&mut self, d: &Descriptor) {
        for name in d.token.iter().flat_map(|token| token.env_var.iter()) {
            self.check("token.env_var", check_env_name(name));
        }
        if let Some(api_key) = &d.api_key {
            self.api_key(api_key);
        }
    }

    fn api_key(&mut self, api_key: &ApiKey) {
        for name in api_key.env_var.iter() {
            self.check("api_key.env_var", check_env_name(name));
        }
        if let Some(pattern) = &api_key.pattern
            && let Err(error) = pattern::compile(pattern)
        {
            self.add("api_key.pattern", format!("is not a regular expression: {error}"));
        }
        match (&api_key.config_path, &api_key.template) {
            (Some(_), None) => self.add("api_key.config_path", "needs `template`"),
            (None, Some(_)) => self.add("api_key.template", "needs `config_path`"),
            (Some(_), Some(template)) if !template.contains("{key}") => {
                self.add("api_key.template", "does not say where the key goes: `{key}`");
            }
            _ => {}
        }
        if let Some(path) = &api_key.config_path {
            self.check("api_key.config_path", form::below_home(path));
        }
        if let Some(url) = &api_key.key_url {
            self.check("api_key.key_url", https(url));
        }
    }

    fn endpoints(&mut self, d: &Descriptor) {
        if let Some(url) = &d.terms {
            self.check("terms", https(url));
        }
        if let Some(api) = &d.api {
            self.check("api.base_url", env_value::check(&api.base_url, https));
        }
        // No `env:NAME` for the next two: tokens are sent to them, so the descriptor itself has to say where.
        if let Some(revoke) = &d.revoke {
            self.check("revoke.url", form::endpoint(&revoke.url));
            if let Some(id) = &revoke.client_id {
                self.check("revoke.client_id", env_value::check(id, |_| Ok(())));
            }
        }
        if let Some(refresh) = &d.refresh {
            self.refresh(refresh);
        }
    }

    fn refresh(&mut self, refresh: &Refresh) {
        if let Some(url) = &refresh.token_url {
            self.check("refresh.token_url", form::endpoint(url));
        }
        if let Some(id) = &refresh.client_id {
            self.check("refresh.client_id", env_value::check(id, |_| Ok(())));
        }
        match refresh.strategy {
            RefreshStrategy::Oauth if refresh.token_url.is_none() => {
                self.add("refresh", "strategy oauth needs `token_url`");
            }
            RefreshStrategy::Command if refresh.command.is_empty() => {
                self.add("refresh", "strategy command needs `command`");
            }
            _ => {}
        }
    }

    fn headers(&mut self, d: &Descriptor) {
        for (name, value) in d.api.iter().flat_map(|api| &api.headers) {
            let place = format!("api.headers.{name}");
            self.check(&place, form::header_name(name));
            self.check(&place, env_value::check(value, header_value));
        }
    }

    fn fields(&mut self, d: &Descriptor) {
        let is_basic = d.modes.contains(&Mode::Basic);
        let mut variables = BTreeMap::new();
        for (name, field) in &d.fields {
            let place = format!("fields.{name}");
            self.check(&place, form::field_name(name));
            if is_basic && ![USERNAME, PASSWORD].contains(&name.as_str()) {
                self.add(&place, "mode basic has the fields username and password, and no others");
            }
            if field.label.trim().is_empty() {
                self.add(&format!("{place}.label"), "is empty");
            }
            if name == PASSWORD && !field.secret {
                self.add(&format!("{place}.secret"), "a password is secret");
            }
            if let Some(variable) = &field.env_var {
                let place = format!("{place}.env_var");
                self.check(&place, check_env_name(variable));
                if let Some(other) = variables.insert(variable, name) {
                    self.add(&place, format!("{variable} already fills the field {other}"));
                }
            }
        }
    }
}

fn has_duplicate<T: Ord>(items: &[T]) -> bool {
    items.iter().collect::<BTreeSet<_>>().len() != items.len()
}
