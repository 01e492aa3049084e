//! Rules for the OAuth flows that the program performs itself.

use super::{Findings, form};
use crate::{
    config::{SecretReference, env_value},
    provider::{
        descriptor::{Descriptor, Mode},
        flow::Flow,
    },
};

/// Parameters that the login sets itself.
const OWN: [&str; 12] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "state",
    "subject_token",
];
/// Parameters whose value is a secret.
const SECRETS: [&str; 4] = ["assertion", "client_assertion", "password", "actor_token"];

impl Findings {
    /// Lints every flow that the descriptor has, whether or not `modes` names it.
    pub(super) fn flows(&mut self, d: &Descriptor) {
        for mode in Mode::OAUTH_FLOWS {
            if let Some(flow) = d.flow(mode) {
                FlowLint { findings: self, mode, is_offered: d.modes.contains(&mode) }.lint(flow);
            }
        }
    }

    pub(super) fn account(&mut self, d: &Descriptor) {
        let Some(account) = &d.account else { return };
        let Some(url) = &account.url else { return };
        self.check("account.url", form::endpoint(url));
        if account.field.is_empty() {
            self.add("account.url", "needs `field`");
        }
    }
}

/// The lint of one flow.
struct FlowLint<'a> {
    findings: &'a mut Findings,
    mode: Mode,
    /// Whether `modes` names the flow's mode. Until then the flow may be incomplete.
    is_offered: bool,
}

impl FlowLint<'_> {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.findings.add(&format!("{}.{field}", self.mode), message);
    }

    fn check(&mut self, field: &str, result: Result<(), String>) {
        self.findings.check(&format!("{}.{field}", self.mode), result);
    }

    fn lint(mut self, flow: &Flow) {
        self.endpoints(flow);
        self.client_id(flow);
        self.client_secret(flow);
        if self.mode == Mode::TokenExchange {
            self.subject_token(flow);
        }
        for (field, block) in flow.special() {
            if block != self.mode.as_str() {
                self.add(field, format!("belongs to `{block}`"));
            }
        }
        if self.mode == Mode::Browser {
            self.redirect(flow);
        }
        self.parameters("parameters", flow.parameters.keys());
        self.parameters("token_parameters", flow.token_parameters.keys());
        if flow.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            self.add("scopes", "a scope has no white space: write one scope an item");
        }
    }

    fn endpoints(&mut self, flow: &Flow) {
        if let Some(issuer) = &flow.issuer {
            self.check("issuer", form::endpoint(issuer));
        }
        let first = match self.mode {
            Mode::Device => Some(("device_authorization_url", &flow.device_authorization_url)),
            Mode::Browser => Some(("authorization_url", &flow.authorization_url)),
            _ => None,
        };
        for (field, url) in [("token_url", &flow.token_url)].into_iter().chain(first) {
            match url {
                Some(url) => self.check(field, form::endpoint(url)),
                None if flow.issuer.is_none() => {
                    self.findings.add(self.mode.as_str(), format!("needs `{field}` or `issuer`"));
                }
                None => {}
            }
        }
    }

    fn client_id(&mut self, flow: &Flow) {
        match &flow.client_id {
            Some(id) if id.is_empty() || id.chars().any(char::is_control) => {
                self.add("client_id", "is not the id of a client");
            }
            Some(id) => self.check("client_id", env_value::check(id, |_| Ok(()))),
            // A vendor that returns an API key may know no clients, and a token exchange may need none.
            None if self.is_offered && flow.api_key_field.is_none() && self.mode != Mode::TokenExchange => {
                let mode = self.mode;
                let message =
                    format!("mode {mode} needs one: register a client with the vendor, and set it here");
                self.add("client_id", message);
            }
            None => {}
        }
    }

    fn client_secret(&mut self, flow: &Flow) {
        match flow.client_secret.as_deref().map(str::parse::<SecretReference>) {
            Some(Err(problem)) => self.add("client_secret", problem),
            Some(Ok(SecretReference::Credential { .. })) => {
                self.add("client_secret", "must be env:NAME or file:PATH");
            }
            Some(Ok(_)) => {}
            None if self.is_offered && self.mode == Mode::ClientCredentials => {
                self.add("client_secret", "mode client_credentials needs one: env:NAME or file:PATH");
            }
            None => {}
        }
        if flow.client_secret.is_some() && flow.client_id.is_none() {
            self.add("client_secret", "needs `client_id`");
        }
    }

    fn subject_token(&mut self, flow: &Flow) {
        match flow.subject_token.as_deref().map(str::parse::<SecretReference>) {
            Some(Err(problem)) => self.add("subject_token", problem),
            Some(Ok(_)) => {}
            None if self.is_offered => {
                let message = "mode token_exchange needs one: env:NAME, file:PATH or credential:PROVIDER";
                self.add("subject_token", message);
            }
            None => {}
        }
    }

    fn redirect(&mut self, flow: &Flow) {
        if flow.redirect_port == Some(0) {
            self.add("redirect_port", "0 is not a port");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if let Some(path) = &flow.redirect_path
            && (!path.starts_with('/') || path.starts_with("//") || !path.chars().all(plain))
        {
            let message =
                format!("{path:?} is not a path of letters, digits and `-._~/` that starts with `/`");
            self.add("redirect_path", message);
        }
        if let Some(name) = &flow.redirect_parameter
            && (name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        {
            self.add("redirect_parameter", format!("{name:?} is not the name of a parameter"));
        }
    }

    fn parameters<'a>(&mut self, field: &str, names: impl Iterator<Item = &'a String>) {
        for name in names {
            let place = format!("{field}.{name}");
            if SECRETS.contains(&name.as_str()) {
                self.add(&place, "a secret is never written into a descriptor");
            } else if OWN.contains(&name.as_str()) {
                self.add(&place, "is set by the login itself");
            }
        }
    }
}
