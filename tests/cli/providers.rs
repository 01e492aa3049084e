//! `authenticate providers` and the descriptors of one's own.

use std::collections::BTreeMap;

use test_support::{Home, code};

const ACME: &str = "label: Acme\napi_key: {env_var: ACME_KEY, pattern: '^acme-[0-9]{4}$'}\n";

fn names(home: &Home) -> Vec<String> {
    let list = home.authenticate(["providers", "--json"]).exits(code::DONE).json();
    let list = list["providers"].as_array().expect("a list").clone();
    list.iter().map(|provider| provider["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn bundled_providers_are_listed() {
    let home = Home::new();
    let outcome = home.authenticate(["providers"]).exits(code::DONE);
    let line = outcome.stdout.lines().find(|line| line.starts_with("claude ")).expect("claude");
    let columns: Vec<_> = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
    assert_eq!(
        columns,
        [
            "claude",
            "Claude Code",
            "oauth, api_key, token",
            "claude-code, claude-cli, anthropic-claude-code",
            "bundled"
        ]
    );
    assert_eq!(outcome.stderr, "");
    let names = names(&home);
    for name in ["claude", "codex", "copilot", "gemini", "gh", "glab", "openai", "opencode", "qwen", "vibe"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    assert_eq!(names.len() + 1, outcome.stdout.lines().count());
}

#[test]
fn new_provider_needs_only_a_file() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", ACME);
    assert!(names(&home).contains(&"acme".to_owned()));
    home.authenticate(["demo", "acme", "--api-key-stdin"]).input("acme-12").exits(code::USAGE);
    home.stores("acme", "acme-1234");
    home.authenticate(["token", "demo", "acme"]).exits(code::DONE).prints("acme-1234\n");
    let row = home.authenticate(["providers"]).exits(code::DONE).stdout;
    assert!(row.lines().any(|line| line.starts_with("acme ") && line.ends_with("yours")), "{row}");
}

#[test]
fn override_changes_only_the_fields_that_it_names() {
    let home = Home::new();
    let file = home.write(
        "config/providers/openai.yaml",
        "label: Our OpenAI\napi_key: {pattern: '^our-[a-z]+$', key_url: null}\napi: {base_url: https://ai.example.com}\n",
    );
    let outcome = home.authenticate(["providers", "show", "openai", "--json"]).exits(code::DONE);
    let shown = outcome.json();
    let provider = &shown["provider"];
    assert_eq!(provider["label"], "Our OpenAI");
    assert_eq!(provider["api_key"]["pattern"], "^our-[a-z]+$");
    assert_eq!(provider["api_key"]["env_var"], "OPENAI_API_KEY");
    assert!(provider["api_key"].get("key_url").is_none(), "null takes a field away");
    assert_eq!(provider["api"]["base_url"], "https://ai.example.com");
    assert_eq!(provider["api"]["shape"], "openai");

    let origins: BTreeMap<&str, &str> = shown["origins"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["place"].as_str().expect("a place"), one["from"].as_str().expect("an origin")))
        .collect();
    let yours = file.to_str().expect("text");
    for (place, from) in [
        ("name", "bundled"),
        ("label", yours),
        ("api_key.pattern", yours),
        ("api_key.env_var", "bundled"),
        ("api.base_url", yours),
        ("api.shape", "bundled"),
        ("delivery.env.api_key", "bundled"),
    ] {
        assert_eq!(origins.get(place), Some(&from), "{place}");
    }
    assert!(!origins.contains_key("api_key.key_url"));

    home.stores("openai", "our-key");
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input("sk-0123456789-abcdefghij")
        .exits(code::USAGE);
}

#[test]
fn show_names_the_file_of_each_field() {
    let home = Home::new();
    let file = home.write("config/providers/openai.yaml", "label: Our OpenAI\napi_key: {pattern: '^our-'}\n");
    let outcome = home.authenticate(["providers", "show", "openai"]).exits(code::DONE);
    let yours = format!("# from {}\nlabel: Our OpenAI\n", file.display());
    outcome.prints("# from bundled\nname: openai\n").prints(&yours);
    outcome
        .prints("api_key.env_var from bundled")
        .prints(&format!("api_key.pattern from {}", file.display()));
    let bundled = home.authenticate(["providers", "show", "claude-code"]).exits(code::DONE);
    bundled.prints("# from bundled\nname: claude\n");
    assert_eq!(bundled.stdout.matches('#').count(), 1);
}

#[test]
fn shown_descriptor_can_be_used_as_a_file() {
    let home = Home::new();
    let shown = home.authenticate(["providers", "show", "claude"]).exits(code::DONE).stdout;
    let file = home.write("lint/claude.yaml", &shown);
    home.authenticate(["providers", "lint", file.to_str().unwrap()])
        .exits(code::DONE)
        .says("no problems found");
    home.write("config/providers/claude.yaml", &shown);
    let json =
        |home: &Home| home.authenticate(["providers", "show", "claude", "--json"]).exits(code::DONE).json();
    assert_eq!(json(&home)["provider"], json(&Home::new())["provider"]);
}

#[test]
fn lint_reports_all_problems_with_their_places() {
    let home = Home::new();
    let file = home.write(
        "config/providers/acme.yaml",
        "label: Acme\nmodse: [api_key]\nmodes: [api_kye]\ncallback_ports: [x]\napi_key:\n  patern: x\n",
    );
    let outcome = home.authenticate(["providers", "lint"]).exits(code::USAGE);
    let mut lines: Vec<_> = outcome.stderr.lines().collect();
    lines.sort_unstable();
    let file = file.display();
    assert_eq!(
        lines,
        [
            format!("error: {file}:2:1: unknown field \"modse\" (did you mean \"modes\"?)"),
            format!("error: {file}:3:9: unknown value \"api_kye\" (did you mean \"api_key\"?)"),
            format!("error: {file}:4:18: invalid type: string \"x\", expected a number from 0 to 65535"),
            format!("error: {file}:6:3: unknown field \"patern\" (did you mean \"pattern\"?)"),
        ]
    );
}

#[test]
fn lint_refuses_arguments_that_weaken_isolation() {
    let home = Home::new();
    let file = home.write(
        "acme.yaml",
        "modes: [api_key]\nhost_dir_name: ../x\ncontainer_mount: /etc/../root\n\
         extra_run_args: [--privileged, --cap-add, SYS_ADMIN, --pid=host, -v, '/:/host', --security-opt=x, -e, OK=1]\n\
         api_key: {pattern: '('}\nterms: http://example.com\n",
    );
    let outcome = home.authenticate(["providers", "lint", file.to_str().unwrap()]).exits(code::USAGE);
    for wrong in ["host_dir_name", "container_mount", "api_key.pattern", "terms"] {
        outcome.says(&format!(": {wrong}: "));
    }
    for refused in ["--privileged", "--cap-add", "--pid", "-v", "--security-opt"] {
        outcome.says(refused);
    }
    outcome.does_not_say("OK=1");
}

#[test]
fn lint_accepts_valid_files() {
    let home = Home::new();
    let file = home.write("acme.yaml", ACME);
    home.authenticate(["providers", "lint", file.to_str().unwrap()])
        .exits(code::DONE)
        .says("no problems found");
    home.authenticate(["providers", "lint"]).exits(code::DONE).says("no problems found");
    home.authenticate(["providers", "lint", "missing.yaml"])
        .exits(code::USAGE)
        .says("missing.yaml: cannot be read");
    let other = home.write("other.yaml", "name: acme\n");
    home.authenticate(["providers", "lint", other.to_str().unwrap()])
        .exits(code::USAGE)
        .says("other.yaml:1:1: name: the name \"acme\" differs from the file's name \"other\"");
}

#[test]
fn lint_reports_aliases_that_are_taken() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", "aliases: [openai]\n");
    home.authenticate(["providers", "lint"])
        .exits(code::USAGE)
        .says("alias \"openai\" of acme already belongs to openai");
}

#[test]
fn invalid_file_does_not_disable_other_providers() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", ACME);
    home.write("config/providers/bad.yaml", "label: [\n");
    home.write("config/providers/openai.yaml", "labl: x\n");
    let outcome = home.authenticate(["providers"]).exits(code::DONE);
    outcome.prints("acme").prints("claude").prints("openai");
    assert!(outcome.stderr.contains("bad.yaml:"), "{outcome:#?}");
    assert!(outcome.stderr.contains("openai.yaml:1:1: unknown field \"labl\""), "{outcome:#?}");
    home.stores("acme", "acme-1234");
    home.stores("groq", "gsk_0123456789abcdefghij");
    home.authenticate(["token", "demo", "acme"]).exits(code::DONE).prints("acme-1234");
}

#[test]
fn provider_with_only_an_invalid_file_is_not_called_unknown() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", "labl: x\n");
    home.authenticate(["demo", "acme"]).exits(code::USAGE).says("acme.yaml:1:1: unknown field \"labl\"");
}

/// With the bundled descriptor in place of a wrong override a key might go where it was not meant to.
#[test]
fn provider_with_an_invalid_override_refuses_a_login() {
    let home = Home::new();
    home.write("config/providers/openai.yaml", "labl: x\n");
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input("sk-0123456789-abcdefghij")
        .exits(code::USAGE)
        .says("openai.yaml:1:1: unknown field \"labl\"");
    assert!(home.stored().is_empty());
}

/// A descriptor for a login in a container, with one line more or in place of the same one.
fn container_login(home: &Home, changed: &str) -> String {
    let (field, _) = changed.split_once(':').expect("a field");
    let usual = [
        "modes: [oauth]",
        "host_dir_name: _acme",
        "container_mount: /home/dev/.config/acme",
        "command: [acme]",
        "image: {name: acme}",
        "capture: [{file: a.json, format: json, kind: token, fields: {token: /t}}]",
    ];
    let lines = usual.into_iter().filter(|line| !line.starts_with(&format!("{field}:"))).chain([changed]);
    let text: Vec<&str> = lines.collect();
    home.write("lint/acme.yaml", &text.join("\n")).to_str().expect("text").to_owned()
}

#[test]
fn lint_accepts_valid_container_logins() {
    let home = Home::new();
    for line in [
        "extra_run_args: [--tmpfs, '/home/dev/.cache:size=64m,mode=0700', --tmpfs, /tmp]",
        "env: {STEPS: \"one\\ntwo\"}",
        "callback_ports: [1455, 1457]",
        "container_mount: /opt/acme",
        "image: {name: node-cli, package: \"@acme/cli.js\", version: 1.2.3}",
        "image: {name: debian, package: libstdc++6}",
    ] {
        let file = container_login(&home, line);
        home.authenticate(["providers", "lint", &file]).exits(code::DONE);
    }
}

#[test]
fn lint_refuses_unsafe_container_logins() {
    let home = Home::new();
    let many: Vec<String> = (2000..9000).map(|port: u32| port.to_string()).collect();
    let many = format!("callback_ports: [{}]", many.join(","));
    for (line, place) in [
        ("extra_run_args: [--tmpfs, '/x:suid,dev,exec']", "extra_run_args[0]"),
        ("extra_run_args: [--tmpfs, '/x:size=100g']", "extra_run_args[0]"),
        ("extra_run_args: [--tmpfs, '/home/dev:mode=0000']", "extra_run_args[0]"),
        ("extra_run_args: [--tmpfs, \"/x:mode=\\e\"]", "extra_run_args[0]"),
        ("extra_run_args: [--tmpfs, /home/dev/.config/acme]", "extra_run_args"),
        ("extra_run_args: [--tmpfs, /home/dev/.config/acme/sub]", "extra_run_args"),
        ("extra_run_args: [-e, \"A=\\0\"]", "extra_run_args[0]"),
        ("env: {A: \"\\0\"}", "env.A"),
        ("env: {A: \"\\e[2J\"}", "env.A"),
        ("container_mount: /tmp", "container_mount"),
        ("container_mount: /var", "container_mount"),
        ("container_mount: /var/run/secrets", "container_mount"),
        ("container_mount: \"/home/dev/\\e\"", "container_mount"),
        ("image: {name: x.}", "image.name"),
        ("image: {name: x, package: x; reboot}", "image.package"),
        ("image: {name: x, package: $(reboot)}", "image.package"),
        ("image: {name: x, package: --version}", "image.package"),
        ("image: {name: x, package: dpkg-}", "image.package"),
        ("image: {name: x, package: owner/repository}", "image.package"),
        ("image: {name: x, package: \"@acme/../cli\"}", "image.package"),
        ("image: {name: x, package: \"\"}", "image.package"),
        ("callback_ports: [4000, 4000]", "callback_ports"),
        (many.as_str(), "callback_ports"),
    ] {
        let file = container_login(&home, line);
        let outcome = home.authenticate(["providers", "lint", &file]).exits(code::USAGE);
        assert!(outcome.stderr.contains(&format!(": {place}: ")), "{line}: {outcome:#?}");
    }
}

#[test]
fn lint_reports_a_limited_number_of_problems() {
    let home = Home::new();
    let text: String = (0..6_000).map(|n| format!("k{n}: 1\n")).collect();
    let file = home.write("lint/acme.yaml", &text);
    let outcome = home.authenticate(["providers", "lint", file.to_str().unwrap()]).exits(code::USAGE);
    assert!(outcome.stderr.lines().count() <= 51, "{}", outcome.stderr.lines().count());
    assert!(outcome.stderr.contains("and more"), "{}", outcome.stderr.lines().last().unwrap_or_default());
}

/// A mistake does not hide another of a different kind.
#[test]
fn lint_reports_wrong_types_and_broken_rules() {
    let home = Home::new();
    let file = home.write(
        "config/providers/acme.yaml",
        "modse: [api_key]\nterms: http://acme.example\ncommand: 5\nmodes: [oauth]\ncallback_ports: [70000, 0, x]\n",
    );
    let outcome = home.authenticate(["providers", "lint"]).exits(code::USAGE);
    let file = file.display();
    for wrong in [
        format!("{file}:1:1: unknown field \"modse\""),
        format!("{file}:2:1: terms: \"http://acme.example\" is not https"),
        format!("{file}:3:1: invalid type: integer `5`, expected a list").replace('`', "\""),
        format!("{file}:4:1: modes: mode oauth needs `image`"),
        format!("{file}:5:18: invalid value: integer \"70000\", expected a number from 0 to 65535"),
        format!("{file}:5:28: invalid type: string \"x\", expected a number from 0 to 65535"),
    ] {
        outcome.says(&wrong);
    }
    // A field of the wrong type is not called missing.
    outcome.does_not_say("needs `command`");
    // An override is merged first.
    home.write("config/providers/acme.yaml", "label: Acme\n");
    home.write("config/providers/openai.yaml", "labl: x\nname: other\nterms: http://x.example\n");
    let outcome = home.authenticate(["providers", "lint"]).exits(code::USAGE);
    outcome.says("openai.yaml:1:1: unknown field").says("openai.yaml:2:1: name: the name \"other\"");
    outcome.says("openai.yaml:3:1: terms: ");
}

#[test]
fn own_alias_does_not_shadow_bundled_providers() {
    let home = Home::new();
    let text = "label: A\naliases: [aa, kimi, openai]\n";
    let mine = home.write("config/providers/aaa.yaml", text);
    let elsewhere = home.write("lint/aaa.yaml", text);
    for arguments in [vec!["providers", "lint"], vec!["providers", "lint", elsewhere.to_str().expect("text")]]
    {
        let file = if arguments.len() == 2 { &mine } else { &elsewhere };
        let outcome = home.authenticate(arguments).exits(code::USAGE);
        outcome.says(&format!("{}:2:15: alias \"kimi\" of aaa already belongs to moonshot", file.display()));
        outcome.says(&format!("{}:2:21: alias \"openai\" of aaa already belongs to openai", file.display()));
        assert_eq!(outcome.stderr.lines().count(), 2);
    }
    let shown = home.authenticate(["providers", "show", "kimi", "--json"]).exits(code::DONE).json();
    assert_eq!(shown["provider"]["name"], "moonshot");
    // Two own providers with the same alias are reported, too.
    home.write("config/providers/bbb.yaml", "aliases: [aa]\n");
    home.authenticate(["providers", "lint"])
        .exits(code::USAGE)
        .says("bbb.yaml:1:11: alias \"aa\" of bbb already belongs to aaa");
}

#[test]
fn own_provider_can_be_named_like_a_bundled_alias() {
    let home = Home::new();
    home.write("config/providers/kimi.yaml", "label: Mine\n");
    home.authenticate(["providers", "lint"]).exits(code::DONE).says("no problems found");
    let shown = home.authenticate(["providers", "show", "kimi", "--json"]).exits(code::DONE);
    assert_eq!(shown.json()["provider"]["label"], "Mine");
    assert_eq!(shown.stderr, "");
}

/// Any provider's override could be in it.
#[test]
fn unreadable_directory_of_descriptors_is_a_problem_of_every_provider() {
    let home = Home::new();
    let directory = home.write("config/providers", "not a directory");
    let says = format!("{}: cannot be read: Not a directory", directory.display());
    for name in ["openai", "kimi", "acme"] {
        home.authenticate(["demo", name, "--api-key-stdin"])
            .input("sk-0123456789-abcdefghij")
            .exits(code::USAGE)
            .says(&says);
    }
    assert!(home.stored().is_empty());
    home.authenticate(["providers", "lint"]).exits(code::USAGE).says(&says);
    home.authenticate(["doctor"]).exits(code::USAGE).prints(&says);
}

#[test]
fn yaml_errors_are_in_plain_words() {
    let home = Home::new();
    for (text, says) in [
        ("label: x\nlabel: y\n", ":2:1: the key \"label\" is given twice"),
        ("label: x\n---\nlabel: y\n", ":3:1: a second document begins here: a file has one"),
        ("aliases: &x [*x]\n", ":1:14: an alias is inside the value that it stands for"),
        ("label: *x\n", ":1:8: an alias has no anchor before it"),
        ("foo\n", ":1:1: a mapping (`name: value`) belongs here"),
        ("- label: x\n", ":1:1: a mapping (`name: value`) belongs here"),
        ("api_key: foo\n", ":1:1: invalid type: string \"foo\", expected a mapping (`name: value`)"),
        ("label: [a]\n", ":1:1: invalid type: a list, expected a string"),
        ("? [a]\n: b\n", ":1:3: a key must be text"),
        ("null: x\n", ":1:1: a key must be text, not null"),
        ("label: 1e999\n", ":1:8: 1e999 is too large for a number"),
    ] {
        let file = home.write("lint/acme.yaml", text);
        let lint = home.authenticate(["providers", "lint", file.to_str().expect("text")]).exits(code::USAGE);
        lint.says(&format!("{}{says}\n", file.display()));
        assert_eq!(lint.stderr.lines().count(), 1, "{lint:?}");
    }
}

#[test]
fn empty_override_is_valid() {
    let home = Home::new();
    for text in ["", "# Nothing yet.\n", "{}"] {
        home.write("config/providers/acme.yaml", text);
        home.write("config/providers/openai.yaml", text);
        home.authenticate(["providers", "lint"]).exits(code::DONE).says("no problems found");
    }
    home.stores("openai", "sk-0123456789-abcdefghij");
}

#[test]
fn two_files_of_one_provider_are_both_reported() {
    let home = Home::new();
    let first = home.write("config/providers/openai.yaml", "label: One\n");
    let second = home.write("config/providers/openai.yml", "label: Two\n");
    let says = |file: &std::path::Path, other: &std::path::Path| {
        format!("{}: the provider has two files: remove this one or {}", file.display(), other.display())
    };
    home.authenticate(["providers", "lint", &second.display().to_string()])
        .exits(code::USAGE)
        .says(&says(&second, &first));
    for words in [&["providers", "lint"][..], &["providers", "show", "openai"]] {
        home.authenticate(words.iter().copied())
            .exits(code::USAGE)
            .says(&says(&first, &second))
            .says(&says(&second, &first));
    }
    home.authenticate(["demo", "openai", "--api-key", "sk-0123456789abcdef"])
        .exits(code::USAGE)
        .says(&says(&first, &second));
    std::fs::remove_file(second).expect("removed");
    home.authenticate(["demo", "openai", "--api-key", "sk-0123456789abcdef"]).exits(code::DONE);
}
