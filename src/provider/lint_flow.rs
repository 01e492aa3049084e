//! What must hold of the native logins in a descriptor.

use super::{
    descriptor::{Descriptor, Mode},
    flow::Flow,
    lint::Finding,
};
use crate::{
    config::{env_value, reference::Reference},
    net::endpoint::Endpoint,
};

/// Parameters that are ours to set, and those that would be secrets in a file.
const OURS: [&str; 12] = [
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
const SECRETS: [&str; 4] = ["assertion", "client_assertion", "password", "actor_token"];

pub(super) fn lint(descriptor: &Descriptor) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (mode, block, flow) in flows(descriptor) {
        let mut add = |field: &str, message: String| {
            let path = if field.is_empty() { block.to_owned() } else { format!("{block}.{field}") };
            findings.push(Finding { path, message });
        };
        endpoints(mode, flow, &mut add);
        client(mode, flow, descriptor.modes.contains(&mode), &mut add);
        for (field, of) in flow.special() {
            if of != block {
                add(field, format!("belongs to `{of}`"));
            }
        }
        if mode == Mode::Browser {
            redirect(flow, &mut add);
        }
        for (field, parameters) in
            [("parameters", &flow.parameters), ("token_parameters", &flow.token_parameters)]
        {
            for name in parameters.keys() {
                let path = format!("{field}.{name}");
                if SECRETS.contains(&name.as_str()) {
                    add(&path, "a secret is never written into a descriptor".into());
                } else if OURS.contains(&name.as_str()) {
                    add(&path, "is set by the login itself".into());
                }
            }
        }
        if flow.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            add("scopes", "a scope has no white space: write one scope an item".into());
        }
    }
    if let Some(account) = &descriptor.account {
        let mut add = |field: &str, message: String| {
            findings.push(Finding { path: format!("account.{field}"), message });
        };
        if let Some(url) = &account.url {
            endpoint("url", url, &mut add);
            if account.field.is_empty() {
                add("url", "needs `field`".into());
            }
        }
    }
    findings
}

/// The native logins that a descriptor describes, whether or not it offers them.
pub(super) fn flows(d: &Descriptor) -> impl Iterator<Item = (Mode, &'static str, &Flow)> {
    Mode::OAUTH_FLOWS.into_iter().filter_map(|mode| Some((mode, mode.as_str(), d.flow(mode)?)))
}

fn endpoint(field: &str, text: &str, add: &mut impl FnMut(&str, String)) {
    if let Err(error) = text.parse::<Endpoint>() {
        add(field, error.to_string());
    }
}

fn endpoints(mode: Mode, flow: &Flow, add: &mut impl FnMut(&str, String)) {
    let first = match mode {
        Mode::Device => Some(("device_authorization_url", &flow.device_authorization_url)),
        Mode::Browser => Some(("authorization_url", &flow.authorization_url)),
        _ => None,
    };
    let all = [("issuer", &flow.issuer), ("token_url", &flow.token_url)];
    for (field, url) in all.into_iter().chain(first) {
        match url {
            Some(url) => endpoint(field, url, add),
            None if field != "issuer" && flow.issuer.is_none() => {
                add("", format!("needs `{field}` or `issuer`"))
            }
            None => {}
        }
    }
}

fn client(mode: Mode, flow: &Flow, offered: bool, add: &mut impl FnMut(&str, String)) {
    match &flow.client_id {
        Some(id) if id.is_empty() || id.chars().any(char::is_control) => {
            add("client_id", "is not the id of a client".into());
        }
        Some(id) => {
            if let Err(problem) = env_value::lint(id, |_| Ok(())) {
                add("client_id", problem);
            }
        }
        // A vendor that gives API keys may know no clients, and an exchange may need none.
        None if offered && flow.api_key_field.is_none() && mode != Mode::TokenExchange => {
            add(
                "client_id",
                format!("mode {mode} needs one: register a client with the vendor, and set it here"),
            );
        }
        None => {}
    }
    match flow.client_secret.as_deref().map(str::parse) {
        Some(Err(problem)) => add("client_secret", problem),
        Some(Ok(Reference::Credential { .. })) => {
            add("client_secret", "must be env:NAME or file:PATH".into());
        }
        Some(Ok(_)) => {}
        None if offered && mode == Mode::ClientCredentials => {
            add("client_secret", "mode client_credentials needs one: env:NAME or file:PATH".into());
        }
        None => {}
    }
    if flow.client_secret.is_some() && flow.client_id.is_none() {
        add("client_secret", "needs `client_id`".into());
    }
    if mode == Mode::TokenExchange {
        match flow.subject_token.as_deref().map(str::parse::<Reference>) {
            Some(Err(problem)) => add("subject_token", problem),
            Some(Ok(_)) => {}
            None if offered => {
                add(
                    "subject_token",
                    "mode token_exchange needs one: env:NAME, file:PATH or credential:PROVIDER".into(),
                );
            }
            None => {}
        }
    }
}

fn redirect(flow: &Flow, add: &mut impl FnMut(&str, String)) {
    if flow.redirect_port == Some(0) {
        add("redirect_port", "0 is not a port".into());
    }
    if let Some(path) = &flow.redirect_path {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !path.starts_with('/') || path.starts_with("//") || !path.chars().all(plain) {
            add(
                "redirect_path",
                format!("{path:?} is not a path of letters, digits and `-._~/` that starts with `/`"),
            );
        }
    }
    if let Some(name) = &flow.redirect_parameter
        && (name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    {
        add("redirect_parameter", format!("{name:?} is not the name of a parameter"));
    }
}
