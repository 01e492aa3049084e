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
use crate::{
    config::{
        container_values::check_env_name,
        env_value,
        yaml::{Findings, parses},
    },
    credential::Name,
    net::endpoint::Endpoint,
};
pub use form::{header_value, https};

/// Finds every broken rule of a complete descriptor: for a user's override, the one merged over the bundled
/// descriptor.
pub fn lint(descriptor: &Descriptor) -> Findings {
    let mut findings = Findings::default();
    findings.names(descriptor);
    findings.modes(descriptor);
    findings.container(descriptor);
    for (index, entry) in descriptor.capture.iter().enumerate() {
        findings.add_below(&format!("capture[{index}]"), capture::lint(entry));
    }
    findings.vendor_files(descriptor);
    findings.api_key_and_token(descriptor);
    findings.endpoints(descriptor);
    findings.flows(descriptor);
    findings.headers(descriptor);
    findings.fields(descriptor);
    findings
}

impl Findings {
    fn names(&mut self, d: &Descriptor) {
        self.check("name", parses::<Name>(&d.name));
        for (index, alias) in d.aliases.iter().enumerate() {
            self.check(&format!("aliases[{index}]"), parses::<Name>(alias));
        }
    }

    fn modes(&mut self, d: &Descriptor) {
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
        for place in d.home_dir.iter() {
            self.check("home_dir", form::home_place(place));
        }
        for (file, places) in &d.home_files {
            places
                .iter()
                .for_each(|place| self.check(&format!("home_files.{file}"), form::home_place(place)));
        }
        for file in d.post_capture_state.keys() {
            self.check(&format!("post_capture_state.{file}"), form::relative_file(file));
        }
    }

    fn api_key_and_token(&mut self, d: &Descriptor) {
        for name in d.token.iter().flat_map(|token| token.env_var.iter()) {
            self.check("token.env_var", check_env_name(name));
        }
        if let Some(token) = &d.token {
            self.check_given("token.pattern", &token.pattern, is_pattern);
        }
        if let Some(api_key) = &d.api_key {
            self.api_key(api_key);
        }
    }

    fn api_key(&mut self, api_key: &ApiKey) {
        for name in api_key.env_var.iter() {
            self.check("api_key.env_var", check_env_name(name));
        }
        self.check_given("api_key.pattern", &api_key.pattern, is_pattern);
        match (&api_key.config_path, &api_key.template) {
            (Some(_), None) => self.add("api_key.config_path", "needs `template`"),
            (None, Some(_)) => self.add("api_key.template", "needs `config_path`"),
            (Some(_), Some(template)) if !template.contains("{key}") => {
                self.add("api_key.template", "does not say where the key goes: `{key}`");
            }
            _ => {}
        }
        self.check_given("api_key.config_path", &api_key.config_path, form::below_home);
        self.check_given("api_key.key_url", &api_key.key_url, https);
    }

    fn endpoints(&mut self, d: &Descriptor) {
        self.check_given("terms", &d.terms, https);
        if let Some(api) = &d.api {
            self.check("api.base_url", env_value::check(&api.base_url, https));
        }
        // No `env:NAME` for the next two: tokens are sent to them, so the descriptor itself has to say where.
        if let Some(revoke) = &d.revoke {
            self.check("revoke.url", parses::<Endpoint>(&revoke.url));
            self.check_given("revoke.client_id", &revoke.client_id, env_value::check_variable);
        }
        if let Some(refresh) = &d.refresh {
            self.refresh(refresh);
        }
        if let Some(account) = &d.account {
            self.check_given("account.url", &account.url, parses::<Endpoint>);
            if account.url.is_some() && account.field.is_empty() {
                self.add("account.url", "needs `field`");
            }
        }
    }

    fn refresh(&mut self, refresh: &Refresh) {
        self.check_given("refresh.token_url", &refresh.token_url, parses::<Endpoint>);
        self.check_given("refresh.client_id", &refresh.client_id, env_value::check_variable);
        self.parameters("refresh.parameters", refresh.parameters.keys());
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

fn is_pattern(text: &str) -> Result<(), String> {
    pattern::compile(text).map(drop).map_err(|error| format!("is not a regular expression: {error}"))
}
