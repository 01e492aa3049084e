//! A server behind https, whose certificate only some trust.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use test_support::{Home, Run, Stub, code, describe, json_reply, record, tokens};

/// The stand-in for GitHub, as `https://localhost:PORT`.
struct Host {
    child: Child,
    port: u16,
    authority: PathBuf,
}

impl Host {
    fn start(home: &Home) -> Self {
        let authority = home.path().join("ca.pem");
        let mut command = Command::new(test_support::program("github"));
        command.args(["--name", "localhost", "--auto-approve", "1", "--ca-out"]).arg(&authority);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("started");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut first).expect("a line");
        let port = first.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let url = format!("https://localhost:{port}");
        home.write(
            "config/providers/gh.yaml",
            &format!(
                "modes: [device]\n\
                 device: {{client_id: own, device_authorization_url: '{url}/login/device/code', \
                 token_url: '{url}/login/oauth/access_token'}}\n\
                 account: null\n"
            ),
        );
        Self { child, port, authority }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn login(home: &Home, more: &[&str]) -> Run {
    home.authenticate(["demo", "gh"].iter().chain(more))
}

#[test]
fn certificate_of_a_trusted_authority_is_accepted() {
    let home = Home::new();
    let host = Host::start(&home);
    let authority = host.authority.to_str().expect("text").to_owned();
    login(&home, &[])
        .exits(code::UNREACHABLE)
        .says(&format!("cannot reach localhost:{}: invalid peer certificate: UnknownIssuer", host.port));
    assert_eq!(record(&home, "gh"), None);
    login(&home, &["--ca-bundle", &authority]).exits(code::DONE).says("stored oauth gh");
    for variable in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        login(&home, &[]).env(variable, &authority).exits(code::DONE);
    }
    home.write("config/projects/demo.yaml", &format!("ca_bundle: {authority}\n"));
    login(&home, &[]).exits(code::DONE);
    assert!(tokens(&home, "gh").0.access_token.expose().starts_with("gho_"));
}

#[test]
fn certificate_for_another_name_is_refused() {
    let home = Home::new();
    let host = Host::start(&home);
    let yaml = std::fs::read_to_string(home.config().join("providers/gh.yaml")).expect("readable");
    home.write("config/providers/gh.yaml", &yaml.replace("localhost", "127.0.0.1"));
    let authority = host.authority.to_str().expect("text").to_owned();
    login(&home, &["--ca-bundle", &authority]).exits(code::UNREACHABLE).says("certificate");
    assert_eq!(record(&home, "gh"), None);
}

/// The requests of a login, a refresh and a revocation, which use the system's certificates.
#[test]
fn unusable_bundle_of_a_variable_is_reported() {
    let (home, server) = (Home::new(), Stub::that(|_| json_reply(200, r#"{"access_token": "a"}"#)));
    let (token, revoke) = (server.url("/token"), server.url("/revoke"));
    let flow = format!("token_url: '{token}', client_id: demo, client_secret: 'env:SECRET'");
    let yaml =
        format!("modes: [client_credentials]\nclient_credentials: {{{flow}}}\nrevoke: {{url: '{revoke}'}}");
    describe(&home, "acme", &yaml);
    let useless = home.write("useless.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let missing = home.path().join("missing.pem");
    for (bundle, why) in [(&missing, "No such file or directory"), (&useless, "it has no usable certificate")]
    {
        let warning = format!("warning: ignoring SSL_CERT_FILE: cannot read {}: {why}", bundle.display());
        for arguments in
            [&["demo", "acme"][..], &["refresh", "demo", "acme", "--force"], &["logout", "demo", "acme"]]
        {
            let run = home.authenticate(arguments).env("SECRET", "s").env("SSL_CERT_FILE", bundle);
            run.exits(code::DONE).says(&warning);
        }
    }
    for profile in ["one", "two"] {
        home.authenticate(["demo", &format!("acme:{profile}")]).env("SECRET", "s").exits(code::DONE);
    }
    for arguments in [&["refresh", "--set", "default", "--force"][..], &["logout", "--all"]] {
        let run = home.authenticate(arguments).env("SECRET", "s").env("SSL_CERT_FILE", &missing);
        let said = run.exits(code::DONE).stderr.clone();
        assert_eq!(said.matches("ignoring SSL_CERT_FILE").count(), 1, "{said}");
        assert!(["one", "two"].iter().all(|profile| said.contains(profile)), "{said}");
    }
    let named = home.authenticate(
        ["demo", "acme", "--ca-bundle"].map(String::from).into_iter().chain([useless.display().to_string()]),
    );
    let why = format!("cannot use the certificates in {}: it has no usable certificate", useless.display());
    named.env("SECRET", "s").exits(code::USAGE).says(&why);
}
