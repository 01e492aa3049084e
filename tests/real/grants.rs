//! Grants that ask nobody: the client's own credentials, and the exchange of another token.

use authenticate::credential::{Credential, Metadata};
use jiff::Timestamp;
use test_support::{Home, OpenId, code, describe, eventually, openid::SECRET, record, tokens};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn machine(home: &Home, server: &OpenId, secret: &str, subject: &str) {
    let issuer = &server.issuer;
    let client = format!("issuer: '{issuer}', client_id: machine, client_secret: '{secret}'");
    describe(
        home,
        "robot",
        &format!(
            "modes: [client_credentials, token_exchange]\n\
             client_credentials: {{{client}}}\n\
             token_exchange: {{{client}, subject_token: '{subject}'}}"
        ),
    );
}

#[test]
fn a_client_logs_in_with_a_secret_that_is_only_referred_to() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "env:NONE");
    let run = || home.authenticate(["demo", "robot", "--mode", "client_credentials"]);
    run().env("ROBOT_SECRET", SECRET).exits(code::DONE).says("stored oauth robot").does_not_say(SECRET);
    let (oauth, _) = tokens(&home, "robot");
    assert!(
        oauth.extra.values().all(|value| !value.expose().contains(SECRET)),
        "the secret itself is not kept"
    );
    let file = home.write("secret", &format!("{SECRET}\n"));
    machine(&home, &server, &format!("file:{}", file.display()), "env:NONE");
    run().exits(code::DONE);
    assert_eq!(server.grants(), ["client_credentials", "client_credentials"]);
}

#[test]
fn a_secret_that_is_not_there_is_named_and_nothing_is_asked() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "env:SUBJECT");
    let run = |mode| home.authenticate(["demo", "robot", "--mode", mode]);
    run("client_credentials")
        .exits(code::USAGE)
        .says("client_credentials.client_secret: the environment variable ROBOT_SECRET is not set");
    run("token_exchange")
        .env("ROBOT_SECRET", SECRET)
        .exits(code::USAGE)
        .says("token_exchange.subject_token: the environment variable SUBJECT is not set");
    machine(&home, &server, "file:/nonexistent/secret", "env:SUBJECT");
    run("client_credentials").exits(code::USAGE).says("cannot read /nonexistent/secret");
    assert!(server.grants().is_empty());
    assert_eq!(record(&home, "robot"), None);
}

#[test]
fn a_wrong_secret_is_refused() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "env:NONE");
    home.authenticate(["demo", "robot", "--mode", "client_credentials"])
        .env("ROBOT_SECRET", "CANARY-wrong")
        .exits(code::LOGIN_FAILED)
        .says("refused: invalid_client")
        .does_not_say("CANARY");
    assert_eq!(record(&home, "robot"), None);
}

#[test]
fn another_token_is_exchanged_wherever_it_is() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "credential:robot");
    let run = |target, mode| home.authenticate(["demo", target, "--mode", mode]).env("ROBOT_SECRET", SECRET);
    run("robot:new", "token_exchange").exits(code::NO_CREDENTIAL).says("there is no credential for robot");
    run("robot", "client_credentials").exits(code::DONE);
    let subject = tokens(&home, "robot").0.access_token;
    run("robot:new", "token_exchange").exits(code::DONE).says("stored oauth robot:new");
    assert_ne!(tokens(&home, "robot:new").0.access_token, subject);
    let log = home.authenticate(["log", "--provider", "robot"]).exits(code::DONE).stdout;
    assert!(log.lines().any(|line| line.contains(" token ") && !line.contains("robot:new")), "{log}");
    machine(&home, &server, "env:ROBOT_SECRET", "env:SUBJECT");
    run("robot:env", "token_exchange").env("SUBJECT", subject.expose()).exits(code::DONE);
    let file = home.write("subject", subject.expose());
    machine(&home, &server, "env:ROBOT_SECRET", &format!("file:{}", file.display()));
    run("robot:file", "token_exchange").exits(code::DONE);
    assert_eq!(server.grants(), ["client_credentials", EXCHANGE, EXCHANGE, EXCHANGE]);
}

#[test]
fn a_server_that_repeats_the_token_in_its_refusal_is_not_repeated() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "env:SUBJECT");
    home.authenticate(["demo", "robot", "--mode", "token_exchange"])
        .env("ROBOT_SECRET", SECRET)
        .env("SUBJECT", "CANARY-0123456789-subject")
        .exits(code::LOGIN_FAILED)
        .says("refused: invalid_grant")
        .does_not_say("CANARY");
}

#[test]
fn a_token_that_has_expired_is_not_exchanged() {
    let (home, server) = (Home::new(), OpenId::start());
    machine(&home, &server, "env:ROBOT_SECRET", "credential:openai");
    let old = Metadata { expires_at: Some(Timestamp::UNIX_EPOCH), ..Metadata::default() };
    home.put("openai", &Credential::Token { token: "old".into() }, &old);
    home.authenticate(["demo", "robot", "--mode", "token_exchange"])
        .env("ROBOT_SECRET", SECRET)
        .exits(code::NO_CREDENTIAL)
        .says("the credential for openai has expired")
        .says("hint: refresh it with `authenticate refresh demo openai`, or log in again");
    assert!(server.grants().is_empty());
}

#[test]
fn a_grant_that_asks_nobody_is_repeated_at_its_expiry() {
    let (home, server) = (Home::new(), OpenId::whose_tokens_last(2));
    machine(&home, &server, "env:ROBOT_SECRET", "env:SUBJECT");
    let run = home.authenticate(["demo", "robot", "--mode", "client_credentials"]);
    run.env("ROBOT_SECRET", SECRET).exits(code::DONE);
    let (before, record) = tokens(&home, "robot");
    assert_eq!(before.refresh_token, None);
    eventually("it has expired", || record.metadata.expires_at.is_some_and(|end| end <= Timestamp::now()));
    let token = || home.authenticate(["token", "demo", "robot"]);
    token()
        .exits(code::USAGE)
        .says("client_credentials.client_secret: the environment variable ROBOT_SECRET");
    token().env("ROBOT_SECRET", SECRET).exits(code::DONE);
    assert_ne!(tokens(&home, "robot").0.access_token, before.access_token);
    assert_eq!(server.grants(), ["client_credentials", "client_credentials"]);
}
