//! Sets, profiles and projects: which credential is meant.

use test_support::{Home, code};

const KEY: &str = "sk-ant-0123456789-abcdefghij";

fn store<const N: usize>(home: &Home, arguments: [&str; N], key: &str) {
    home.authenticate(arguments.into_iter().chain(["--api-key-stdin"])).input(key).exits(code::DONE);
}

fn token<const N: usize>(home: &Home, arguments: [&str; N]) -> String {
    let arguments = ["token"].into_iter().chain(arguments);
    home.authenticate(arguments).exits(code::DONE).stdout.trim_end().to_owned()
}

#[test]
fn profiles_keep_accounts_apart() {
    let home = Home::new();
    let (own, work) = (format!("{KEY}-own"), format!("{KEY}-work"));
    store(&home, ["demo", "claude"], &own);
    store(&home, ["demo", "claude:work"], &work);
    assert_eq!(token(&home, ["demo", "claude"]), own);
    assert_eq!(token(&home, ["demo", "claude:work"]), work);
    home.authenticate(["token", "demo", "claude:play"])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for claude:play")
        .says("hint: log in with: authenticate demo claude:play");
}

#[test]
fn sets_keep_projects_apart() {
    let home = Home::new();
    let (own, team) = (format!("{KEY}-own"), format!("{KEY}-team"));
    store(&home, ["demo", "claude"], &own);
    store(&home, ["demo", "claude", "--set", "team"], &team);
    assert_eq!(token(&home, ["demo", "claude"]), own);
    assert_eq!(token(&home, ["demo", "claude", "--set", "team"]), team);
    home.authenticate(["token", "demo", "claude", "--set", "other"])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for claude (set other)");
}

#[test]
fn project_file_names_its_set() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    store(&home, ["shop", "claude"], KEY);
    assert_eq!(home.keys(), [("team/claude/default".to_owned(), KEY.to_owned())]);
    assert_eq!(token(&home, ["shop", "claude"]), KEY);
    assert_eq!(token(&home, ["demo", "claude", "--set", "team"]), KEY);
    home.authenticate(["token", "demo", "claude"]).exits(code::NO_CREDENTIAL);
}

#[test]
fn set_flag_wins_over_the_project_file() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    store(&home, ["shop", "claude", "--set", "own"], KEY);
    assert_eq!(home.keys(), [("own/claude/default".to_owned(), KEY.to_owned())]);
}

#[test]
fn invalid_project_file_is_an_error() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_sett: team\n");
    home.authenticate(["shop", "claude", "--api-key-stdin"])
        .input(KEY)
        .exits(code::USAGE)
        .says("shop.yaml:1:1: unknown field \"credential_sett\" (did you mean \"credential_set\"?)");
    assert!(home.stored().is_empty());
}

#[test]
fn alias_names_the_same_provider() {
    let home = Home::new();
    store(&home, ["demo", "claude-code"], KEY);
    assert_eq!(home.keys(), [("default/claude/default".to_owned(), KEY.to_owned())]);
    assert_eq!(token(&home, ["demo", "claude-code"]), KEY);
}

#[test]
fn project_can_be_named_like_a_command() {
    let home = Home::new();
    home.write("config/projects/status.yaml", "credential_set: team\n");
    store(&home, ["login", "status", "claude"], KEY);
    assert_eq!(home.keys(), [("team/claude/default".to_owned(), KEY.to_owned())]);
    assert_eq!(token(&home, ["status", "claude"]), KEY);
}

#[test]
fn name_that_could_be_a_path_is_refused() {
    let home = Home::new();
    for arguments in [["../demo", "claude"], ["demo", "claude:../x"], ["demo", "claude:"]] {
        home.authenticate(arguments.into_iter().chain(["--api-key-stdin"]))
            .input(KEY)
            .exits(code::USAGE)
            .says("is not a name");
    }
    assert!(home.stored().is_empty());
}

#[test]
fn profile_without_a_provider_is_refused() {
    let home = Home::new();
    for words in [&["token", "demo", ":work"][..], &["refresh", ":work"], &["status", ":work"]] {
        home.authenticate(words).exits(code::USAGE).says("\"\" is not a name: use 1 to 64 letters");
    }
}
