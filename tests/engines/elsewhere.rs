//! Engines that see another file system than the program: what it writes is on a file system that only it sees.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;
use test_support::Running;

use crate::harness::{
    Home, Place, acme,
    acme::{LOG_IN, MOUNT, describe},
};

/// Gives the data directory a file system of its own, and runs the script `$2` there as the user of `$3` and more.
const ELSEWHERE: &str = r#"
mkdir -p "$0" && mount -t tmpfs none "$0" && chown "$1" "$0" && chmod 700 "$0" || exit 99
script=$2
shift 2
exec "$@" sh -ec "$script"
"#;

/// Starts a script that calls the program `authenticate`, where the engine does not see its data directory.
pub fn start(home: &Home, script: &str) -> Running {
    let plain = home.command(&[]);
    let program = home.program();
    let path = format!(
        "{}:{}",
        program.parent().expect("a directory").display(),
        std::env::var("PATH").expect("PATH")
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", ELSEWHERE]).arg(home.data());
    command.args([&home.place.ids(), script]);
    match home.place.user() {
        Some(user) => {
            let groups = if home.place == Place::RootlessDocker { "--clear-groups" } else { "--init-groups" };
            command.args(["setpriv", "--reuid", &user.name, "--regid", &user.name, groups, "--"]);
        }
        None => drop(command.arg("env")),
    }
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Running::start(command.env("PATH", path).current_dir(home.path()))
}

/// A home whose CLI takes these steps. Its container is recognised by the home's path in its environment.
fn home(place: Place, steps: &[&str]) -> Home {
    let home = Home::on(place);
    let print = format!("print {}", home.path().display());
    describe(&home, json!({}));
    acme::script(&home, &[&[print.as_str()], steps].concat());
    home
}

fn logs_in(place: Place) {
    for steps in [&[LOG_IN][..], &[LOG_IN, "stay"]] {
        let home = home(place, steps);
        let script = format!(
            "authenticate p acme --mode oauth; authenticate token p acme; ls -A {}/logins",
            home.data().display()
        );
        let ended = start(&home, &script).end().expect(0);
        assert!(ended.out.ends_with("AAA\n"), "{}", ended.out);
        home.assert_nothing_left();
    }
}

#[test]
fn logs_in_on_docker() {
    logs_in(Place::Docker);
}

#[test]
fn logs_in_on_docker_as_an_ordinary_user() {
    logs_in(Place::DockerAsUser);
}

#[test]
fn logs_in_on_rootless_docker() {
    logs_in(Place::RootlessDocker);
}

#[test]
fn logs_in_on_podman() {
    logs_in(Place::Podman);
}

#[test]
fn logs_in_on_rootless_podman() {
    logs_in(Place::PodmanAsUser);
}

fn renews(place: Place) {
    let home = home(place, &[r#"write auth.json {"a":"AAA","r":"RRR","e":1000,"mine":"kept"}"#]);
    let file = format!("{MOUNT}/auth.json");
    let renew = format!(
        r#"grep -q RRR {file} && grep -q AAA {file} && echo '{{"a":"BBB","r":"SSS","e":2000000000}}' >{file}"#
    );
    let expires = json!({"path": "/e", "as": "unix_seconds"});
    let fields = json!({"access_token": "/a", "refresh_token": "/r", "expires_at": expires});
    describe(
        &home,
        json!({
            "capture": [{"file": "auth.json", "format": "json", "kind": "oauth", "fields": fields}],
            "refresh": {"strategy": "command", "command": ["sh", "-c", renew]},
        }),
    );
    let ended = start(
        &home,
        "authenticate p acme --mode oauth; authenticate token p acme; authenticate token p acme",
    );
    let ended = ended.end().expect(0);
    assert!(ended.out.ends_with("BBB\nBBB\n"), "{}", ended.out);
    home.assert_nothing_left();
}

#[test]
fn renews_on_docker() {
    renews(Place::Docker);
}

#[test]
fn renews_on_rootless_podman() {
    renews(Place::PodmanAsUser);
}

#[test]
fn hostile_files_are_refused() {
    for place in [Place::Docker, Place::Podman] {
        for (steps, said) in [
            (&["symlink /etc/hostname auth.json"][..], "auth.json"),
            (&["mkfifo auth.json"], "not a regular file"),
            (&["sparse auth.json 1099511627776"], "larger"),
            (&["write other.json SECRET"], "other.json"),
        ] {
            let home = home(place, steps);
            let ended = start(&home, "authenticate p acme --mode oauth").end().expect(4);
            assert!(ended.err.contains(said), "{place:?} {said}: {}", ended.err);
            assert!(!ended.err.contains("SECRET"), "{}", ended.err);
            home.assert_nothing_left();
        }
    }
}

fn nothing_stays_of_a_killed_one(place: Place) {
    let home = home(place, &[LOG_IN, "print ready", "stay"]);
    let login =
        start(&home, "authenticate p acme --mode oauth & wait; authenticate doctor || :; ls -A data/logins");
    login.out.wait_for("ready");
    let [container] = &home.containers()[..] else { panic!("{:?}", home.containers()) };
    let volume = place.ask(&["inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", container]);
    assert!(!volume.is_empty());
    let processes =
        Command::new("pgrep").args(["-P", &login.pid().to_string(), "authenticate"]).output().expect("pgrep");
    let process = String::from_utf8_lossy(&processes.stdout).trim().parse().expect("one process");
    rustix::process::kill_process(rustix::process::Pid::from_raw(process).expect("a process"), Signal::KILL)
        .expect("killed");
    login.end().expect(0);
    home.assert_nothing_left();
    assert!(!place.client().args(["volume", "inspect", &volume]).output().expect("asked").status.success());
}

#[test]
fn nothing_stays_of_a_killed_one_on_docker() {
    nothing_stays_of_a_killed_one(Place::Docker);
}

#[test]
fn nothing_stays_of_a_killed_one_on_rootless_podman() {
    nothing_stays_of_a_killed_one(Place::PodmanAsUser);
}
