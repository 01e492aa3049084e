//! Problems of a descriptor are reported with their place before anything is attempted.

use test_support::{Home, code};

#[track_caller]
fn finds(yaml: &str, place: &str, text: &str) {
    let home = Home::new();
    let file = home.write("acme.yaml", &format!("name: acme\nlabel: Acme\n{yaml}\n"));
    let outcome = home.authenticate(["providers", "lint", file.to_str().expect("text")]).exits(code::USAGE);
    outcome.says(&format!("{place}: ")).says(text).does_not_say("CANARY");
}

const BROWSER: &str =
    "authorization_url: 'https://a.example/a', token_url: 'https://a.example/t', client_id: demo";

#[test]
fn oauth_flows_need_their_blocks() {
    for mode in ["device", "browser", "client_credentials", "token_exchange"] {
        finds(&format!("modes: [{mode}]"), "modes", &format!("mode {mode} needs the block `{mode}`"));
    }
}

#[test]
fn endpoints_must_be_given_or_published() {
    finds("modes: [browser]\nbrowser: {client_id: demo}", "browser", "needs `token_url` or `issuer`");
    finds("modes: [browser]\nbrowser: {client_id: demo}", "browser", "needs `authorization_url` or `issuer`");
    finds(
        "modes: [device]\ndevice: {client_id: demo}",
        "device",
        "needs `device_authorization_url` or `issuer`",
    );
}

#[test]
fn endpoints_must_be_https_or_loopback() {
    for field in ["issuer", "authorization_url", "token_url"] {
        let yaml = format!("modes: [browser]\nbrowser: {{{BROWSER}, issuer: 'https://a.example'}}");
        let bad = match yaml.contains(&format!(" {field}:")) || yaml.contains(&format!("{{{field}:")) {
            true => {
                let start = yaml.find(&format!("{field}: '")).expect("there") + field.len() + 3;
                let end = start + yaml[start..].find('\'').expect("an end");
                format!("{}http://a.example{}", &yaml[..start], &yaml[end..])
            }
            false => panic!("{field}"),
        };
        finds(&bad, &format!("browser.{field}"), "is not https (http is for loopback only)");
    }
    finds("account: {url: 'http://a.example/me', field: x}", "account.url", "is not https");
    finds("account: {url: 'https://a.example/me'}", "account.url", "needs `field`");
}

/// As they are taken when tokens are sent there, which is long after the login.
#[test]
fn token_and_revocation_urls_must_be_endpoints() {
    let place = |field: &str, url: &str| match field {
        "refresh.token_url" => format!("modes: [api_key]\nrefresh: {{strategy: oauth, token_url: '{url}'}}"),
        _ => format!("modes: [api_key]\nrevoke: {{url: '{url}'}}"),
    };
    for field in ["refresh.token_url", "revoke.url"] {
        finds(&place(field, "https://a.example/t#x"), field, "has a fragment");
        finds(&place(field, "https://me:CANARY@a.example/t"), field, "contains a user or a password");
        finds(&place(field, "http://a.example/t"), field, "is not https");
    }
}

#[test]
fn password_in_a_url_is_not_repeated() {
    let url = "https://me:CANARY@a.example:99999/t";
    for yaml in [format!("terms: '{url}'"), format!("refresh: {{strategy: oauth, token_url: '{url}'}}")] {
        let place = if yaml.starts_with("terms") { "terms" } else { "refresh.token_url" };
        finds(&format!("modes: [api_key]\n{yaml}"), place, "\"https://...@a.example:99999/t\" is not a URL");
    }
}

#[test]
fn mode_without_a_client_is_reported() {
    let no_client = "authorization_url: 'https://a.example/a', token_url: 'https://a.example/t'";
    finds(
        &format!("modes: [browser]\nbrowser: {{{no_client}}}"),
        "browser.client_id",
        "mode browser needs one",
    );
    let token = "token_url: 'https://a.example/t'";
    finds(
        &format!("modes: [client_credentials]\nclient_credentials: {{{token}, client_id: x}}"),
        "client_credentials.client_secret",
        "env:NAME or file:PATH",
    );
    finds(
        &format!("browser: {{{no_client}, client_secret: 'env:X'}}"),
        "browser.client_secret",
        "needs `client_id`",
    );
}

#[test]
fn literal_client_secret_is_refused() {
    let token = "token_url: 'https://a.example/t', client_id: x";
    for secret in ["CANARY", "literal:CANARY", "file:CANARY"] {
        finds(&format!("browser: {{{BROWSER}, client_secret: '{secret}'}}"), "browser.client_secret", "");
        finds(
            &format!("token_exchange: {{{token}, subject_token: '{secret}'}}"),
            "token_exchange.subject_token",
            "",
        );
    }
    finds(
        &format!("browser: {{{BROWSER}, client_secret: 'credential:gh'}}"),
        "browser.client_secret",
        "must be env:NAME",
    );
    finds(
        &format!("token_exchange: {{{token}, parameters: {{password: CANARY}}}}"),
        "token_exchange.parameters.password",
        "a secret is never written",
    );
    finds(
        &format!("modes: [token_exchange]\ntoken_exchange: {{{token}}}"),
        "token_exchange.subject_token",
        "needs one",
    );
}

#[test]
fn fields_outside_their_block_are_reported() {
    let device = "device_authorization_url: 'https://a.example/d', token_url: 'https://a.example/t'";
    finds(&format!("device: {{{device}, redirect_port: 1}}"), "device.redirect_port", "belongs to `browser`");
    finds(
        &format!("device: {{{device}, subject_token: 'env:X'}}"),
        "device.subject_token",
        "belongs to `token_exchange`",
    );
    finds(
        &format!("browser: {{{BROWSER}, device_authorization_url: 'https://a.example'}}"),
        "browser.device_authorization_url",
        "belongs to `device`",
    );
}

#[test]
fn invalid_redirect_is_reported() {
    for (place, value, text) in [
        ("redirect_port", "0", "0 is not a port"),
        ("redirect_path", "callback", "is not a path"),
        ("redirect_path", "//evil.example/x", "is not a path"),
        ("redirect_path", "'/a?b'", "is not a path"),
        ("redirect_path", "'/a#b'", "is not a path"),
        ("redirect_parameter", "'a b'", "is not the name of a parameter"),
        ("parameters.state", "x", "is set by the request itself"),
        ("token_parameters.code_verifier", "x", "is set by the request itself"),
        ("scopes", "['a b']", "a scope has no white space"),
        ("client_id", "'env:A B'", ""),
    ] {
        let value = match place.split_once('.') {
            Some((field, name)) => format!("{field}: {{{name}: {value}}}"),
            None => format!("{place}: {value}"),
        };
        let yaml =
            format!("browser: {{{BROWSER}, {value}}}").replace(", client_id: demo, client_id", ", client_id");
        finds(&yaml, &format!("browser.{place}"), text);
    }
    let home = Home::new();
    let file = home.write(
        "acme.yaml",
        &format!("name: acme\nlabel: Acme\nbrowser: {{{BROWSER}, redirect_host: 0.0.0.0}}\n"),
    );
    home.authenticate(["providers", "lint", file.to_str().expect("text")]).exits(code::USAGE);
}
