//! Rules for the OAuth flows that the program performs itself.

use crate::{
    config::{
        SecretReference, env_value,
        yaml::{Findings, parses},
    },
    net::endpoint::Endpoint,
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
                self.add_below(mode.as_str(), lint(flow, mode, d.modes.contains(&mode)));
            }
        }
    }
}

/// Lints one flow. Until `modes` names it (`is_offered`), it may be incomplete.
fn lint(flow: &Flow, mode: Mode, is_offered: bool) -> Findings {
    let mut findings = Findings::default();
    findings.flow_endpoints(flow, mode);
    findings.client(flow);
    if is_offered {
        findings.needed(flow, mode);
    }
    if mode == Mode::TokenExchange {
        findings.check_given("subject_token", &flow.subject_token, parses::<SecretReference>);
    }
    for (field, block) in flow.special() {
        if block != mode.as_str() {
            findings.add(field, format!("belongs to `{block}`"));
        }
    }
    if mode == Mode::Browser {
        findings.redirect(flow);
    }
    findings.parameters("parameters", flow.parameters.keys());
    findings.parameters("token_parameters", flow.token_parameters.keys());
    if flow.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
        findings.add("scopes", "a scope has no white space: write one scope an item");
    }
    findings
}

impl Findings {
    fn flow_endpoints(&mut self, flow: &Flow, mode: Mode) {
        let first = match mode {
            Mode::Device => Some(("device_authorization_url", &flow.device_authorization_url)),
            Mode::Browser => Some(("authorization_url", &flow.authorization_url)),
            _ => None,
        };
        self.check_given("issuer", &flow.issuer, parses::<Endpoint>);
        for (field, url) in [("token_url", &flow.token_url)].into_iter().chain(first) {
            self.check_given(field, url, parses::<Endpoint>);
            if url.is_none() && flow.issuer.is_none() {
                self.add("", format!("needs `{field}` or `issuer`"));
            }
        }
    }

    fn client(&mut self, flow: &Flow) {
        self.check_given("client_id", &flow.client_id, |id| {
            match id.is_empty() || id.chars().any(char::is_control) {
                true => Err("is not the id of a client".to_owned()),
                false => env_value::check_variable(id),
            }
        });
        self.check_given("client_secret", &flow.client_secret, |secret| match secret.parse()? {
            SecretReference::Credential { .. } => Err("must be env:NAME or file:PATH".to_owned()),
            SecretReference::Env(_) | SecretReference::File(_) => Ok(()),
        });
        if flow.client_secret.is_some() && flow.client_id.is_none() {
            self.add("client_secret", "needs `client_id`");
        }
    }

    /// Reports the fields that are missing from a flow that is offered.
    fn needed(&mut self, flow: &Flow, mode: Mode) {
        // A vendor that returns an API key may know no clients, and a token exchange may need none.
        let needs_client = flow.api_key_field.is_none() && mode != Mode::TokenExchange;
        if flow.client_id.is_none() && needs_client {
            let message =
                format!("mode {mode} needs one: register a client with the vendor, and set it here");
            self.add("client_id", message);
        }
        if flow.client_secret.is_none() && mode == Mode::ClientCredentials {
            self.add("client_secret", format!("mode {mode} needs one: env:NAME or file:PATH"));
        }
        if flow.subject_token.is_none() && mode == Mode::TokenExchange {
            let message = format!("mode {mode} needs one: env:NAME, file:PATH or credential:PROVIDER");
            self.add("subject_token", message);
        }
    }

    fn redirect(&mut self, flow: &Flow) {
        if flow.redirect_port == Some(0) {
            self.add("redirect_port", "0 is not a port");
        }
        self.check_given("redirect_path", &flow.redirect_path, |path| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
            let ok = path.starts_with('/') && !path.starts_with("//") && path.chars().all(is_plain);
            let message =
                || format!("{path:?} is not a path of letters, digits and `-._~/` that starts with `/`");
            ok.then_some(()).ok_or_else(message)
        });
        self.check_given("redirect_parameter", &flow.redirect_parameter, |name| {
            let ok = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            ok.then_some(()).ok_or_else(|| format!("{name:?} is not the name of a parameter"))
        });
    }

    pub(super) fn parameters<'a>(&mut self, field: &str, names: impl Iterator<Item = &'a String>) {
        for name in names {
            let place = format!("{field}.{name}");
            if SECRETS.contains(&name.as_str()) {
                self.add(&place, "a secret is never written into a descriptor");
            } else if OWN.contains(&name.as_str()) {
                self.add(&place, "is set by the request itself");
            }
        }
    }
}
