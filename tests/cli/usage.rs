//! Wrong command lines: exit code 2, what is wrong, what was probably meant, and nothing done.

use test_support::{Home, KEY, Run, code};

#[test]
fn unknown_provider_lists_the_known_and_the_nearest_name() {
    let home = Home::new();
    for arguments in [&["demo", "cluade"][..], &["token", "demo", "cluade"], &["providers", "show", "cluade"]]
    {
        home.authenticate(arguments)
            .exits(code::USAGE)
            .says("unknown provider \"cluade\" (did you mean \"claude\"?)")
            .says("known: amazon-bedrock, anthropic, ")
            .says("openai");
    }
    home.authenticate(["demo", "kubernetes-federation"]).exits(code::USAGE).does_not_say("did you mean");
    assert!(!home.data().exists());
}

#[test]
fn misspelt_command_suggests_the_nearest() {
    let home = Home::new();
    for (arguments, verb) in [
        (&["statsu"][..], "status"),
        (&["provders"], "providers"),
        (&["provders", "lint"], "providers"),
        (&["tokn", "demo", "claude"], "token"),
        (&["logut", "demo", "claude"], "logout"),
    ] {
        let outcome = home.authenticate(arguments).exits(code::USAGE);
        outcome.says(&format!("did you mean `authenticate {verb}`?"));
        assert_eq!(outcome.stderr.matches("hint: ").count(), 1, "{outcome:?}");
    }
}

#[test]
fn project_named_almost_like_a_command_is_a_project() {
    let home = Home::new();
    home.authenticate(["tokens", "openai", "--api-key-stdin"])
        .input("sk-0123456789-abcdefghij")
        .exits(code::DONE)
        .does_not_say("did you mean");
}

#[test]
fn no_arguments_print_the_help() {
    let outcome = Home::new().authenticate([""; 0]).exits(code::USAGE);
    outcome.says("Usage:").says("status").says("providers");
}

#[test]
fn unknown_flags_and_values_are_refused() {
    let home = Home::new();
    home.authenticate(["status", "--jsn"]).exits(code::USAGE).says("--json");
    home.authenticate(["demo", "openai", "--timeout", "soon"]).exits(code::USAGE).says("90s");
    for none in ["0s", "-5s"] {
        let timeout = format!("--timeout={none}");
        home.authenticate(["demo", "openai", &timeout])
            .exits(code::USAGE)
            .says("the time must be longer than zero");
    }
    let later = ["demo", "openai", "--api-key-stdin", "--expires-at", "9999-12-31"];
    home.authenticate(later).exits(code::USAGE).says("later than can be stored");
    home.authenticate(["demo", "claude", "--mode", "oauth", "--engine", "lxc"])
        .exits(code::USAGE)
        .says("\"lxc\" is not an engine: use docker, podman, or a URL");
    home.authenticate(["completions", "tcl"]).exits(code::USAGE);
}

#[test]
fn relative_directories_are_refused() {
    let home = Home::new();
    for variable in ["AUTHENTICATE_CONFIG_DIR", "AUTHENTICATE_DATA_DIR"] {
        home.authenticate(["status"])
            .env(variable, "here")
            .exits(code::USAGE)
            .says(&format!("{variable} must be an absolute path"));
    }
}

#[test]
fn directories_follow_the_xdg_specification() {
    let home = Home::new();
    let xdg = |run: Run| run.env("AUTHENTICATE_CONFIG_DIR", "").env("AUTHENTICATE_DATA_DIR", "");
    let login = ["demo", "openai", "--api-key-stdin"];
    home.write("xdg/config/authenticate/projects/demo.yaml", "credential_set: team\n");
    xdg(home.authenticate(login))
        .env("XDG_CONFIG_HOME", home.path().join("xdg/config"))
        .env("XDG_DATA_HOME", home.path().join("xdg/data"))
        .input(KEY)
        .exits(code::DONE)
        .says("(set team)");
    assert!(home.path().join("xdg/data/authenticate/credentials.db").exists());
    // Relative ones are ignored, as it says.
    let relative = |run: Run| run.env("XDG_CONFIG_HOME", "xdg/config").env("XDG_DATA_HOME", "xdg/data");
    xdg(relative(home.authenticate(login))).input(KEY).exits(code::DONE);
    assert!(home.path().join(".local/share/authenticate/credentials.db").exists());
}

/// In each directory it would be another place.
#[test]
fn relative_home_is_refused() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .env("AUTHENTICATE_CONFIG_DIR", "")
        .env("AUTHENTICATE_DATA_DIR", "")
        .env("HOME", "here")
        .input(KEY)
        .exits(code::USAGE)
        .says("HOME must be an absolute path, not \"here\"");
    assert!(!home.path().join("here").exists());
}

#[test]
fn help_and_version_exit_with_code_0() {
    let home = Home::new();
    for arguments in [["--help"], ["-h"], ["--version"]] {
        assert!(!home.authenticate(arguments).exits(code::DONE).stdout.is_empty());
    }
}

#[test]
fn unexpected_failure_exits_with_code_1() {
    let home = Home::new();
    home.write("file", "");
    home.authenticate(["man", "file/man"]).exits(code::FAILED).says("cannot create file/man");
}

/// Each says the rule that it follows.
#[test]
fn help_says_which_profile_is_the_default() {
    let home = Home::new();
    let help =
        |verb: &str| home.authenticate([verb, "--help"]).env("COLUMNS", "200").exits(code::DONE).stdout;
    let help = |verb: &str| help(verb).split_whitespace().collect::<Vec<_>>().join(" ");
    for verb in ["token", "refresh"] {
        let help = help(verb);
        assert!(help.contains("the first usable one in the project's `profiles`"), "{verb}: {help}");
        assert!(help.contains("else `default`, else the only one"), "{verb}: {help}");
        assert!(!help.contains("[default profile: default]"), "{verb}: {help}");
    }
    for verb in ["logout", "revoke"] {
        assert!(help(verb).contains("[default profile: default]"), "{verb}");
    }
}

#[test]
fn invalid_image_name_is_refused() {
    let home = Home::new();
    for image in ["", "a b"] {
        let login = ["demo", "codex", "--mode", "oauth", "--image", image];
        home.authenticate(login).exits(code::USAGE).says("is not the name of an image");
    }
    home.write("config/projects/demo.yaml", "image: \"\"\n");
    home.authenticate(["demo", "codex", "--mode", "oauth"])
        .exits(code::USAGE)
        .says("demo.yaml:1:1: image: \"\" is not the name of an image");
}

#[test]
fn unused_flags_are_reported() {
    let home = Home::new();
    let flags = [
        "--image=x",
        "--engine=docker",
        "--ca-bundle=/nonexistent",
        "--timeout=1d",
        "--no-browser",
        "--headless",
        "--qr",
    ];
    home.authenticate([&["demo", "openai", "--api-key-stdin"][..], &flags].concat())
        .input(KEY)
        .exits(code::DONE)
        .says("warning: mode api_key does not use --image, --engine, --ca-bundle, --timeout, --no-browser, --headless, --qr\n");
    home.authenticate(["demo", "codex", "--mode", "oauth", "--force", "--copy"])
        .exits(code::ENGINE)
        .says("warning: mode oauth does not use --force, --copy\n");
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(KEY)
        .exits(code::DONE)
        .does_not_say("no use");
}
