//! `authenticate import`

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Value, json};
use test_support::{CANARY, Home, code, json as parse};

/// The header of a JWT and a payload that ends in 2030 and has an address in it.
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4OTM0NTYwMDAsImVtYWlsIjoiYW5uQGV4YW1wbGUuY29tIn0.CANARY";

fn codex(api_key: &str) -> String {
    format!(
        r#"{{"auth_mode": "chatgpt", "OPENAI_API_KEY": {api_key}, "tokens": {{"access_token": "{JWT}",
            "refresh_token": "rt-CANARY-1", "id_token": "{JWT}id"}}, "last_refresh": "2026-01-01T00:00:00Z"}}"#
    )
}

fn stored(home: &Home) -> Value {
    let stored = home.stored();
    assert_eq!(stored.len(), 1, "{stored:?}");
    parse(&stored[0].1)
}

fn status(home: &Home, provider: &str) -> Value {
    let status = home.authenticate(["status", provider, "--json"]).exits(code::DONE).json();
    status["credentials"][0].clone()
}

#[test]
fn import_reads_a_login_and_leaves_it_unchanged() {
    let home = Home::new();
    let file = home.write(".codex/auth.json", &codex("null"));
    let before = fs::read(&file).expect("read");
    home.authenticate(["import", "codex"])
        .exits(code::DONE)
        .says(&format!("reading the login in {}\n", home.path().join(".codex").display()))
        .says("stored oauth codex for ann@example.com")
        .says(&format!("{} is unchanged: the vendor's own tool still has the login", file.display()))
        .says("warning: the vendor's own tool keeps refreshing this login, which invalidates the copy here")
        .says("authenticate import default codex --move\n")
        .does_not_say(CANARY);
    assert_eq!(fs::read(&file).expect("read"), before);
    assert_eq!(stored(&home)["refresh_token"], "rt-CANARY-1");
    let status = status(&home, "codex");
    assert_eq!((&status["owner"], &status["refreshable"]), (&json!("vendor"), &json!(false)));
    let table = home.authenticate(["status"]).exits(code::DONE).stdout;
    assert!(table.contains("stored, refreshed by the vendor's own tool"), "{table}");
}

#[test]
fn advice_to_move_a_login_names_project_set_and_directory() {
    let home = Home::new();
    let file = home.write("another place/auth.json", &codex("null"));
    let directory = file.parent().expect("a directory").display().to_string();
    let words = ["import", "demo", "codex:work", "--set", "other", "--from", "another place"];
    let advice = format!("authenticate import demo codex:work --set other --from '{directory}' --move\n");
    home.authenticate(words).exits(code::DONE).says(&advice);
}

#[test]
fn move_removes_the_login_from_the_vendors_files() {
    let home = Home::new();
    let file = home.write(".codex/auth.json", &codex("null"));
    home.write(".codex/config.toml", "model = 1\n");
    home.authenticate(["import", "codex", "--move"])
        .exits(code::DONE)
        .says("moving the login in ")
        .says(&format!("removed {}: only authenticate has the login now", file.display()))
        .does_not_say("warning")
        .does_not_say(CANARY);
    assert!(!file.exists());
    assert!(home.path().join(".codex/config.toml").exists());
    let status = status(&home, "codex");
    assert_eq!((&status["owner"], &status["refreshable"]), (&json!("us"), &json!(true)));
    home.authenticate(["token", "demo", "codex"]).exits(code::DONE).prints(JWT);
    // It is not there twice.
    home.authenticate(["import", "codex", "--move"])
        .exits(code::LOGIN_FAILED)
        .says("there is no login of codex in");
}

#[test]
fn move_keeps_the_rest_of_the_file() {
    let home = Home::new();
    let file = home.write(".codex/auth.json", &codex("\"sk-other\""));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    let outcome = home.authenticate(["import", "codex", "--move", "--json"]).exits(code::DONE);
    outcome.does_not_say(CANARY);
    let moved = outcome.json();
    assert_eq!((&moved["vendor_file"], &moved["owner"]), (&json!("login taken out"), &json!("us")));
    assert_eq!(
        parse(&fs::read_to_string(&file).expect("read")),
        json!({"OPENAI_API_KEY": "sk-other"}),
        "without the mode, which was the login's, the tool takes the key"
    );
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let again = home.authenticate(["import", "codex:key", "--move"]).exits(code::DONE);
    again.says("stored api_key codex:key").says("removed ");
    assert!(!file.exists());
}

#[test]
fn import_takes_directory_project_set_and_profile() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.write("old/hosts.yml", "ghe.example.com:\n  user: ann\n  oauth_token: gho_CANARY\n");
    home.authenticate(["import", "shop", "github:work", "--from", "old/"])
        .exits(code::DONE)
        .says("stored token gh:work (set team) for ann")
        // Nothing rotates, so nothing goes stale.
        .does_not_say("warning");
    home.authenticate(["import", "gh", "--from", "old", "--set", "own"]).exits(code::DONE);
    let at: Vec<_> = home.stored().into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, ["own/gh/default", "team/gh/work"]);
    assert_eq!(status(&home, "gh")["host"], "ghe.example.com");
}

#[test]
fn vendors_own_variable_names_the_directory() {
    let home = Home::new();
    home.write("elsewhere/auth.json", &codex("null"));
    let elsewhere = home.path().join("elsewhere");
    home.authenticate(["import", "codex"])
        .env("CODEX_HOME", &elsewhere)
        .exits(code::DONE)
        .says(&format!("reading the login in {}", elsewhere.display()));
}

#[test]
fn failed_import_reports_why() {
    let home = Home::new();
    let import = |arguments: &[&str]| home.authenticate(["import"].iter().chain(arguments));
    import(&["codex"])
        .exits(code::USAGE)
        .says("there is no directory")
        .says("name the directory with --from DIR");
    import(&["openai"]).exits(code::USAGE).says("openai has no capture map");
    import(&["opnai"]).exits(code::USAGE).says("did you mean \"openai\"?");
    import(&["demo:x", "codex"]).exits(code::USAGE).says("the project comes first");
    import(&[]).exits(code::USAGE);
    fs::create_dir(home.path().join("empty")).expect("made");
    import(&["codex", "--from", "empty"]).exits(code::LOGIN_FAILED).says("there is no login of codex in");
    home.write("broken/auth.json", "{CANARY");
    import(&["codex", "--from", "broken"])
        .exits(code::LOGIN_FAILED)
        .says("auth.json is not JSON: line 1")
        .does_not_say(CANARY);
    assert!(home.stored().is_empty());
}

#[test]
fn hostile_directories_are_not_followed() {
    let home = Home::new();
    home.write("real/auth.json", &codex("null"));
    symlink(home.path().join("real"), home.path().join("link")).expect("linked");
    for from in ["link", "link/"] {
        home.authenticate(["import", "codex", "--from", from])
            .exits(code::LOGIN_FAILED)
            .says("is a symbolic link")
            .says("use --from with the directory that the link points to");
    }
    fs::create_dir(home.path().join("inner")).expect("made");
    symlink(home.path().join("real/auth.json"), home.path().join("inner/auth.json")).expect("linked");
    home.authenticate(["import", "codex", "--from", "inner"])
        .exits(code::LOGIN_FAILED)
        .says("is a symbolic link")
        .says("use --from with the directory that holds the file itself");
    fs::create_dir(home.path().join("twice")).expect("made");
    fs::hard_link(home.path().join("real/auth.json"), home.path().join("twice/auth.json")).expect("linked");
    home.authenticate(["import", "codex", "--from", "twice", "--move"])
        .exits(code::LOGIN_FAILED)
        .says("second name");
    assert!(home.stored().is_empty());
    assert!(home.path().join("twice/auth.json").exists());
}

/// It would have two owners.
#[test]
fn login_that_cannot_be_removed_stays_the_vendors() {
    let home = Home::new();
    let file = home.write("open/auth.json", &codex("null"));
    fs::set_permissions(home.path().join("open"), fs::Permissions::from_mode(0o777)).expect("set");
    home.authenticate(["import", "codex", "--from", "open", "--move"])
        .exits(code::LOGIN_FAILED)
        .says("codex was stored, but the vendor's tool still has it, too")
        .says("can be written by others")
        .does_not_say(CANARY);
    assert!(file.exists());
    assert_eq!(status(&home, "codex")["owner"], "vendor");
}

/// That it was read, and that it was taken over, are two things.
#[test]
fn each_step_is_in_the_audit_log() {
    let home = Home::new();
    home.write(".codex/auth.json", &codex("null"));
    let recorded = || -> Vec<String> {
        let log = home.authenticate(["log", "--json"]).exits(code::DONE).json();
        let entries = log["entries"].as_array().expect("a list").iter().rev();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        entries.map(|entry| format!("{} {}", text(&entry["action"]), text(&entry["outcome"]))).collect()
    };
    home.authenticate(["import", "codex", "--move"]).exits(code::DONE);
    assert_eq!(recorded(), ["import ok", "take_over ok"]);
    home.write("open/auth.json", &codex("null"));
    fs::set_permissions(home.path().join("open"), fs::Permissions::from_mode(0o777)).expect("set");
    home.authenticate(["import", "codex", "--from", "open", "--move"]).exits(code::LOGIN_FAILED);
    home.authenticate(["import", "codex", "--from", "open"]).exits(code::DONE);
    assert_eq!(
        recorded()[2..],
        ["import ok", "take_over vendor_files", "import ok"],
        "and a login that is only read is not taken over"
    );
}

/// As when it is killed between the two.
#[test]
fn killed_move_can_be_finished() {
    for api_key in ["null", "\"sk-other\""] {
        let home = Home::new();
        home.put("openai", &authenticate::credential::Credential::api_key("kkk"), &Default::default());
        let database = rusqlite::Connection::open(home.database()).expect("opened");
        let clock = |at: i64| database.execute("UPDATE clock SET version = ?", [at]).expect("set");
        // There is one more version.
        clock(i64::MAX - 1);
        let file = home.write(".codex/auth.json", &codex(api_key));
        fs::create_dir(home.path().join("empty")).expect("made");
        let moves = |words: &[&str]| home.authenticate(["import", "codex", "--move"].iter().chain(words));
        moves(&[])
            .exits(code::STORE)
            .says("codex is stored and was removed from the vendor's files, but could not be marked as ours")
            .says("run the same command with --move again");
        assert!(!fs::read_to_string(&file).unwrap_or_default().contains(CANARY));
        assert_eq!(status(&home, "codex")["owner"], "vendor");
        let log = home.authenticate(["log", "--limit", "1"]).exits(code::DONE);
        log.prints("take_over").prints("system");
        let end: Option<i64> = database
            .query_row("SELECT expires_at FROM credential WHERE provider = 'codex'", [], |row| row.get(0))
            .expect("read");
        let ends =
            |at: Option<i64>| database.execute("UPDATE credential SET expires_at = ?", [at]).expect("set");
        ends(Some(1000));
        let from = format!("--from {} --move", home.path().join(".codex").display());
        home.authenticate(["token", "demo", "codex"])
            .exits(code::NO_CREDENTIAL)
            .says("did not finish; finish it with: authenticate import demo codex")
            .says(&from);
        ends(end);
        clock(1);
        // Where it was never taken out of, nothing is known to be gone.
        moves(&["--from", "empty"]).exits(code::LOGIN_FAILED).says("there is no login of codex in");
        assert_eq!(status(&home, "codex")["owner"], "vendor");
        let moved = moves(&["--json"]).exits(code::DONE).json();
        assert_eq!(moved["vendor_file"], "login taken out before");
        let status = status(&home, "codex");
        assert_eq!((&status["owner"], &status["refreshable"]), (&json!("us"), &json!(true)));
        home.authenticate(["token", "demo", "codex"]).exits(code::DONE).prints(JWT);
        if api_key == "null" {
            moves(&[]).exits(code::LOGIN_FAILED).says("there is no login of codex in");
        }
    }
}

#[test]
fn credential_stored_meanwhile_is_not_marked_as_ours() {
    let home = Home::new();
    home.write(".codex/auth.json", &codex("null"));
    // A database with a trigger is not opened, and this command is run when it is open.
    let fifo = home.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::from_raw_mode(0o600)).expect("a FIFO");
    let script = format!("echo >{0}; read go <{0}; echo passphrase", fifo.display());
    home.write(
        "config/config.yaml",
        &json!({"store": {"passphrase_command": ["sh", "-c", script]}}).to_string(),
    );
    let import = home.authenticate(["import", "codex", "--move"]);
    let trigger =
        "CREATE TRIGGER lose AFTER UPDATE OF details ON credential BEGIN DELETE FROM credential; END";
    let database = std::thread::scope(|scope| {
        let import = scope.spawn(|| import.exits(code::BUSY));
        fs::read(&fifo).expect("asked");
        let database = rusqlite::Connection::open(home.database()).expect("opened");
        database.execute_batch(trigger).expect("made");
        fs::write(&fifo, "go\n").expect("told");
        let import = import.join().expect("ended");
        import.says("another process replaced codex while it was taken over");
        database
    });
    database.execute_batch("DROP TRIGGER lose").expect("gone");
    assert!(home.stored().is_empty());
}

#[test]
fn files_that_keep_changing_are_not_moved() {
    let home = Home::new();
    let file = home.write(".codex/auth.json", &codex("null"));
    let import = home.authenticate(["import", "codex", "--move", "--json"]);
    let outcome = std::thread::scope(|scope| {
        let import = scope.spawn(|| import.ends());
        let mut count = 0;
        while !import.is_finished() {
            count += 1;
            let fresh = codex("null").replace("rt-CANARY-1", &format!("rt-CANARY-{count}"));
            let new = home.write("new", &fresh);
            fs::rename(new, &file).expect("replaced");
        }
        import.join().expect("ended")
    });
    assert_eq!(outcome.code, Some(code::BUSY.into()), "{outcome:#?}");
    outcome.says("change while they are read: end the tool that uses them, and try again");
    assert!(file.exists());
    assert_eq!(status(&home, "codex")["owner"], "vendor");
}

#[test]
fn leftovers_of_a_killed_import_are_removed() {
    let home = Home::new();
    let login = codex("null").replacen('{', r#"{"theme": "dark", "#, 1);
    home.write(".codex/auth.json", &login);
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 3600);
    let left =
        [".authenticate-1-0", ".authenticate-x-0", ".authenticate-1", "authenticate-1-0"].map(|name| {
            let path = home.write(&format!(".codex/{name}"), "{}");
            let file = fs::File::options().write(true).open(&path).expect("opened");
            file.set_modified(old).expect("set");
            path
        });
    // Somebody may still be writing this one.
    let new = home.write(".codex/.authenticate-2-0", "{}");
    symlink("auth.json", home.path().join(".codex/.authenticate-3-0")).expect("a link");
    home.authenticate(["import", "codex", "--move"]).exits(code::DONE);
    assert!(!left[0].exists());
    assert!(left[1..].iter().all(|path| path.exists()), "what is not ours");
    assert!(new.exists());
    assert!(home.path().join(".codex/.authenticate-3-0").is_symlink());
}
