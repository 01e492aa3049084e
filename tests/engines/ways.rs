//! The ways to an engine: its socket in a container, TLS, SSH, the contexts of Docker and the connections of Podman.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use test_support::{Running, program_path};

use crate::harness::{
    Home, Place, acme,
    acme::{LOG_IN, describe},
    output, programs,
};

const STATE: &str = "/run/authenticate-testbed";
const TLS: &str = "tcp://127.0.0.1:23760";
const LOGIN: &str = "authenticate p acme --mode oauth; authenticate token p acme";

/// A home whose container is recognised by the home's path in its environment.
fn home(place: Place) -> Home {
    let home = Home::on(place);
    describe(&home, json!({}));
    acme::script(&home, &[&format!("print {}", home.path().display()), LOG_IN, "stay"]);
    home
}

/// Names another engine in the project's file, or none.
fn engine(home: &Home, engine: Option<&str>) {
    let path = home.path().join("config/projects/p.yaml");
    let mut project: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
    project["engine"] = engine.into();
    home.file("config/projects/p.yaml", &project.to_string());
}

/// Runs a script that logs in, in a namespace of its own if `unshare` is given; the login's token is the last line.
fn logs_in(home: &Home, unshare: &[&str], script: &str, variables: &[(&str, &str)]) -> String {
    let directory = home.program().parent().expect("a directory").to_owned();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").expect("PATH"));
    let plain = home.command(&[]);
    let mut command = Command::new(unshare.first().unwrap_or(&"env"));
    command.args(unshare.iter().skip(1)).args(["sh", "-ec", script]).arg(home.path()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs(variables.iter().copied()).env("PATH", path).current_dir(home.path());
    let ended = Running::start(&mut command).end().expect(0);
    assert!(ended.out.ends_with("AAA\n"), "{}{}", ended.out, ended.err);
    home.assert_nothing_left();
    ended.out + &ended.err
}

#[test]
fn a_second_daemon_with_other_mounts() {
    logs_in(&home(Place::DockerElsewhere), &[], LOGIN, &[]);
}

/// It finds the directory, but nothing that a container writes arrives here.
#[test]
fn a_daemon_that_cannot_write_to_our_directory() {
    let home = home(Place::DockerElsewhere);
    let directory = tempfile::tempdir_in(Path::new(STATE).join("read-only")).expect("a directory");
    logs_in(&home, &[], LOGIN, &[("AUTHENTICATE_DATA_DIR", directory.path().to_str().expect("text"))]);
    let left = output(Command::new("find").arg(directory.path().join("logins")).args(["-mindepth", "1"]));
    assert_eq!(left, "");
}

#[test]
fn the_socket_in_a_container() {
    let home = home(Place::Docker);
    engine(&home, None);
    let config = format!("{}:/config:ro", home.path().join("config").display());
    let program = format!("{}:/usr/local/bin/authenticate:ro", program_path());
    let mut run = home.place.client();
    run.args(["run", "--rm", "--network", "none", "--volume", "/var/run/docker.sock:/var/run/docker.sock"]);
    run.args(["--volume", &config, "--volume", &program, "--env", "AUTHENTICATE_CONFIG_DIR=/config"]);
    run.args([programs::image(home.place), "sh", "-ec", LOGIN]);
    assert!(output(&mut run).ends_with("AAA"));
    assert_eq!(home.containers(), [""; 0]);
}

#[test]
fn tcp_with_client_certificates() {
    let home = home(Place::DockerElsewhere);
    let certificates = format!("{STATE}/certificates");
    engine(&home, Some(&format!("{TLS}#{certificates}")));
    logs_in(&home, &[], LOGIN, &[]);
    engine(&home, None);
    let variables = [("DOCKER_HOST", TLS), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &certificates)];
    logs_in(&home, &[], LOGIN, &variables);

    let ended = Running::start(home.command(&["p", "acme", "--mode", "oauth"]).env("DOCKER_HOST", TLS))
        .end()
        .expect(5);
    assert!(ended.err.contains("status 400"), "{}", ended.err);
    let stranger = [("DOCKER_HOST", TLS), ("DOCKER_TLS_VERIFY", "1")];
    let ended =
        Running::start(home.command(&["p", "acme", "--mode", "oauth"]).envs(stranger)).end().expect(5);
    assert!(ended.err.contains("certificate"), "{}", ended.err);
}

#[test]
fn the_context_that_docker_uses() {
    let home = home(Place::DockerElsewhere);
    engine(&home, None);
    let docker = |args: &[&str]| {
        output(Command::new("docker").args(args).env("HOME", home.path()).env_remove("DOCKER_CONFIG"))
    };
    let files = format!("{STATE}/certificates");
    let endpoint = format!("host={TLS},ca={files}/ca.pem,cert={files}/cert.pem,key={files}/key.pem");
    docker(&["context", "create", "far", "--docker", &endpoint]);
    docker(&["context", "create", "gone", "--docker", "host=unix:///nonexistent/docker.sock"]);
    let script = format!("authenticate doctor >report || :; grep -F ' at {TLS}#' report; {LOGIN}");
    logs_in(&home, &[], &script, &[("DOCKER_CONTEXT", "far")]);
    docker(&["context", "use", "far"]);
    logs_in(&home, &[], &script, &[]);
    docker(&["context", "use", "gone"]);
    let ended = home.run(&["p", "acme", "--mode", "oauth", "--engine", "docker"]).expect(5);
    for said in ["unix:///nonexistent/docker.sock", "context \"gone\"", "docker context use"] {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
    let mut login = home.command(&["p", "acme", "--mode", "oauth"]);
    let ended = Running::start(login.env("DOCKER_CONTEXT", "typo")).end().expect(5);
    assert!(ended.err.contains("typo") && ended.err.contains("docker context ls"), "{}", ended.err);
}

/// A network of its own, in which a daemon lets the key `key` in.
const SSHD: &str = r#"
ip link set lo up
mkdir -p ~root/.ssh /run/sshd
mount -t tmpfs -o mode=700 none ~root/.ssh
for name in host key; do ssh-keygen -q -t ed25519 -N '' -f "$0/$name"; done
echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 "$0/host.pub")" >~root/.ssh/known_hosts
/usr/sbin/sshd -f /dev/null -E "$0/sshd.log" -o ListenAddress=127.0.0.1 -o Port=2222 -o HostKey="$0/host" \
    -o AuthorizedKeysFile="$0/key.pub" -o StrictModes=no -o PidFile=none
"#;
const OWN_NETWORK: [&str; 7] =
    ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

fn by_ssh(place: Place, socket: &str) {
    let home = home(place);
    let key = home.path().join("key");
    engine(&home, Some(&format!("ssh://root@127.0.0.1:2222{socket}#{}", key.display())));
    logs_in(&home, &OWN_NETWORK, &format!("{SSHD}{LOGIN}"), &[]);
}

#[test]
fn ssh() {
    by_ssh(Place::Docker, "");
}

#[test]
fn ssh_to_a_daemon_with_other_mounts() {
    by_ssh(Place::DockerElsewhere, &format!("{STATE}/docker-elsewhere.sock"));
}

#[test]
fn ssh_by_a_connection_of_podman() {
    let home = home(Place::Podman);
    engine(&home, None);
    let key = home.path().join("key");
    let conf = format!(
        "[engine.service_destinations.far]\nuri = \"ssh://root@127.0.0.1:2222/run/podman/podman.sock\"\nidentity = {key:?}\n"
    );
    let conf = home.file("connections.conf", &conf);
    let variables = [("CONTAINERS_CONF", conf.to_str().expect("text")), ("CONTAINER_CONNECTION", "far")];
    logs_in(&home, &OWN_NETWORK, &format!("{SSHD}{LOGIN}"), &variables);
}

#[test]
fn ssh_that_fails_says_why() {
    let home = home(Place::Docker);
    engine(&home, Some("ssh://root@127.0.0.1:2222"));
    let script = format!("{SSHD}authenticate p acme --mode oauth || [ $? = 5 ]; echo AAA");
    let said = logs_in(&home, &OWN_NETWORK, &script, &[]);
    assert!(said.contains("ssh: ") && said.contains("Permission denied"), "{said}");
}
