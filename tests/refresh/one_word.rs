//! `authenticate refresh` with one word, which may be a project or a provider.

use authenticate::credential::{Address, Metadata, Name};
use jiff::SignedDuration;
use serde_json::json;
use test_support::{
    Server,
    refresh::{Home, access_token},
};

const NEW: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn of(provider: &str) -> Address {
    Address::default_profile(name(provider))
}

/// Two logins that are not due, and one more in another set.
fn home(server: &Server) -> Home {
    let home = Home::new(&server.url);
    home.describes("bravo", &server.url);
    let other = Address { set: name("other"), ..of("acme") };
    for at in [of("acme"), of("bravo"), other] {
        let tokens = json!({"access_token": "OLD", "refresh_token": "RRR"});
        home.logged_in_at(&at, &tokens, SignedDuration::from_hours(1), Metadata::default());
    }
    home
}

/// The messages and the exit code.
fn refresh(home: &Home, arguments: &[&str]) -> (String, Option<i32>) {
    let ran = home.run(&[&["refresh"], arguments].concat());
    (String::from_utf8(ran.stderr).expect("text"), ran.status.code())
}

fn project(home: &Home, project: &str, text: &str) {
    std::fs::create_dir_all(home.paths.projects()).expect("made");
    std::fs::write(home.paths.projects().join(format!("{project}.yaml")), text).expect("written");
}

#[test]
fn single_provider_is_the_only_one_refreshed() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    let acme = std::fs::read_to_string(home.paths.providers().join("acme.yaml")).expect("read");
    let with_alias = acme.replacen('{', r#"{"aliases": ["ac"],"#, 1);
    std::fs::write(home.paths.providers().join("acme.yaml"), with_alias).expect("written");
    for (count, word) in ["acme", "ac", "acme:default"].into_iter().enumerate() {
        let (said, code) = refresh(&home, &[word, "--force"]);
        assert_eq!((said.trim(), code), ("refreshed acme", Some(0)));
        assert_eq!(server.bodies().len(), count + 1);
    }
    let token = |at: &Address| access_token(&home.store().get(at).expect("read").expect("stored"));
    assert_eq!(token(&of("bravo")), "OLD");
    assert_eq!(token(&Address { set: name("other"), ..of("acme") }), "OLD");
    let (said, code) = refresh(&home, &["acme", "--set", "other", "--force"]);
    assert_eq!((said.trim(), code), ("refreshed acme", Some(0)));
    assert_eq!(token(&Address { set: name("other"), ..of("acme") }), "NEW");
    assert_eq!(refresh(&home, &["acme:work"]).1, Some(3));
}

#[test]
fn single_word_with_a_project_file_is_a_project() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    project(&home, "acme", "credential_set: other\n");
    let (said, code) = refresh(&home, &["acme", "--force"]);
    assert_eq!((said.trim(), code), ("refreshed acme", Some(0)));
    let other = home.store().get(&Address { set: name("other"), ..of("acme") }).expect("read");
    assert_eq!(access_token(&other.expect("stored")), "NEW");
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn unknown_word_with_force_is_refused_and_sends_nothing() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    project(&home, "shop", "credential_set: other\n");
    for (word, says) in [
        ("acmee", "\"acmee\" is neither a provider nor a project with a file (did you mean \"acme\"?)"),
        ("shpo", "\"shpo\" is neither a provider nor a project with a file (did you mean \"shop\"?)"),
        ("somethingelse", "\"somethingelse\" is neither a provider nor a project with a file\n"),
    ] {
        let (said, code) = refresh(&home, &[word, "--force"]);
        assert!(code == Some(2) && said.contains(says), "{said}");
        assert!(
            said.contains(
                "hint: refresh all credentials of a set with: authenticate refresh --set SET --force"
            ),
            "{said}"
        );
    }
    assert_eq!(server.bodies().len(), 0);
}

#[test]
fn unknown_word_is_a_project_and_a_typo_is_pointed_out() {
    let server = Server::answering(Some((200, NEW)));
    let home = home(&server);
    let (said, code) = refresh(&home, &["acmee"]);
    assert!(
        said.contains("\"acmee\" is taken for a project without a file (did you mean \"acme\"?)"),
        "{said}"
    );
    assert!(code == Some(0) && said.contains("bravo is not due for a refresh"), "{said}");
    let (said, code) = refresh(&home, &["somethingelse"]);
    assert!(code == Some(0) && !said.contains("taken for"), "{said}");
    assert_eq!(refresh(&home, &["acme:work", "acme"]).1, Some(2));
}
