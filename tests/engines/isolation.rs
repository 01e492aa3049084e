//! The reach of a login's container, on each engine.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{
    Home, Place, acme,
    acme::{LOG_IN, MOUNT},
    output,
};

/// Mounts that engines make in every container.
const USUAL: [&str; 8] = ["/proc", "/dev", "/sys", "/etc", "/run", "/tmp", "/var/tmp", "/"];

fn is_isolated(place: Place) {
    let steps = ["id", "caps", "mounts", LOG_IN, "print ready", "stay"];
    let home = acme(place, &steps);
    let running = home.start(&["p", "acme", "--mode", "oauth"]);
    let said = running.out.wait_for("ready");
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], place.ids_inside());
    assert_eq!(owners(&home), [place.ids()], "the files are those of whoever runs the program");
    assert!(said.contains("CapEff:\t0000000000000000"), "{said}");
    assert!(said.contains("NoNewPrivs:\t1"), "{said}");
    let usual = |path: &str| {
        USUAL.iter().any(|usual| path == *usual || (*usual != "/" && path.starts_with(&format!("{usual}/"))))
    };
    let mut own: Vec<&str> =
        lines.iter().copied().filter(|line| line.starts_with('/') && !usual(line)).collect();
    own.sort_unstable();
    assert_eq!(own, ["/home/dev", "/home/dev/.config", MOUNT]);

    let [container] = &home.containers()[..] else { panic!("{:?}", home.containers()) };
    let inspected: Value = serde_json::from_str(&place.ask(&["inspect", container])).expect("JSON");
    let host = &inspected[0]["HostConfig"];
    if !place.is_without_limits() {
        assert_eq!(host["PidsLimit"], 512);
        assert_eq!(host["Memory"], 2_u64 << 30);
        assert_eq!(host["MemorySwap"], 2_u64 << 30, "no swap");
    }
    assert_eq!(host["Privileged"], false);
    writes_only_in_memory(place, container);
    assert!(inspected[0]["Mounts"].as_array().expect("mounts").iter().all(|mount| {
        mount["Type"] == "tmpfs"
            || mount["Source"].as_str().is_some_and(|s| s.starts_with(home.path().to_str().unwrap()))
    }));

    running.signal(Signal::TERM);
    running.end().expect(0);
    home.assert_nothing_left();
}

/// The container's root file system cannot be written, and what can is confined and has a size; nothing dumps core.
fn writes_only_in_memory(place: Place, container: &str) {
    let inside = |script: &str| place.ask(&["exec", container, "sh", "-c", script]);
    let tries =
        "for d in / /etc /usr /opt /srv /var /root /var/lib; do touch $d/x 2>/dev/null && echo $d; done; :";
    assert_eq!(inside(tries), "", "these can be written");
    assert!(inside("cat /proc/1/limits").lines().any(|line| {
        line.starts_with("Max core file size")
            && line.split_whitespace().filter(|word| *word == "0").count() == 2
    }));
    let mounts = inside("cat /proc/self/mountinfo");
    for path in ["/tmp", "/var/tmp", "/run", "/home/dev", "/home/dev/.config", MOUNT] {
        let mount = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some(path));
        let mount = mount.unwrap_or_else(|| panic!("{path} is no mount: {mounts}"));
        let has = |option: &str| mount.split([' ', ',']).any(|word| word == option);
        // Docker has no such options for a directory of the host.
        let is_bind_of_docker = path == MOUNT && !matches!(place, Place::Podman | Place::PodmanAsUser);
        assert!(is_bind_of_docker || (has("nosuid") && has("nodev")), "{mount}");
        assert!(path == MOUNT || mount.contains("size=524288k"), "{mount}");
    }
}

/// The owners of the login's files.
fn owners(home: &Home) -> Vec<String> {
    let found =
        output(Command::new("find").arg(home.data()).args(["-name", "auth.json", "-printf", "%U:%G\\n"]));
    found.lines().map(str::to_owned).collect()
}

#[test]
fn on_docker() {
    is_isolated(Place::Docker);
}

#[test]
fn on_docker_as_an_ordinary_user() {
    is_isolated(Place::DockerAsUser);
}

#[test]
fn on_rootless_docker_as_an_ordinary_user() {
    is_isolated(Place::RootlessDocker);
}

#[test]
fn on_podman() {
    is_isolated(Place::Podman);
}

#[test]
fn on_rootless_podman_as_an_ordinary_user() {
    is_isolated(Place::PodmanAsUser);
}
