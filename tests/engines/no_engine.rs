//! A machine on which no engine answers.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use test_support::{LIMIT, Running};

use crate::harness::{Home, Place};

/// In a file system and among processes of its own, where no engine's socket is: the program says how Podman is started,
/// its words are followed, and the program finds it.
const FOLLOW: &str = r#"
mount -t tmpfs -o mode=755 none /run || exit 99
cat >hint.sh <<'END'
authenticate demo codex --mode oauth 2>said
[ $? = 5 ] || exit 98
hint=$(sed -n 's/^hint: .*podman is installed; start its socket with: //p' said)
[ -n "$hint" ] || { cat said; exit 97; }
echo "$hint"
eval "$hint"
for _ in $(seq 600); do
    ! authenticate doctor >report || break
    sleep 0.1
done
cat report
END
exec $AS sh hint.sh
"#;

fn the_hint_is_right(place: Place, variables: &[(&str, &str)]) -> String {
    let home = Home::on(place);
    let here = |name: &str| home.path().join(name).to_str().expect("text").to_owned();
    // Not the storage of the engines that run beside this.
    home.file(
        "storage.conf",
        &format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            here("graph"),
            here("run")
        ),
    );
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed");
    home.file(
        "containers.conf",
        &std::fs::read_to_string(testbed.join("containers.conf")).expect("readable"),
    );
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).expect("mode");

    let plain = home.command(&[]);
    let program = home.program();
    let path = format!(
        "{}:{}",
        program.parent().expect("a directory").display(),
        std::env::var("PATH").expect("PATH")
    );
    let user =
        place.user().map(|user| format!("setpriv --reuid {0} --regid {0} --init-groups --", user.name));
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", FOLLOW])
        .env_clear()
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .envs([("PATH", path), ("AS", user.unwrap_or_default())])
        .envs([
            ("CONTAINERS_CONF", here("containers.conf")),
            ("CONTAINERS_STORAGE_CONF", here("storage.conf")),
        ])
        .envs(variables.iter().copied())
        .current_dir(home.path());
    let ended = Running::start(&mut command).end_within(LIMIT);
    let said = ended.expect(0).out;
    assert!(
        said.contains("podman") && said.lines().any(|line| line.starts_with("ok       engine: podman")),
        "{said}"
    );
    said
}

#[test]
fn the_word_on_how_to_start_podman_is_right() {
    let said = the_hint_is_right(Place::Podman, &[]);
    assert!(said.contains("unix:///run/podman/podman.sock"), "{said}");
}

#[test]
fn so_it_is_for_an_ordinary_user() {
    let directory = tempfile::tempdir().expect("a directory");
    let user = Place::PodmanAsUser.user().expect("an ordinary one");
    std::os::unix::fs::chown(directory.path(), Some(user.uid), Some(user.gid)).expect("theirs");
    let runtime = directory.path().to_str().expect("text");
    let said = the_hint_is_right(Place::PodmanAsUser, &[("XDG_RUNTIME_DIR", runtime)]);
    assert!(said.contains(&format!("unix://{runtime}/podman/podman.sock")), "{said}");
}

#[test]
fn so_it_is_for_one_without_a_runtime_directory() {
    the_hint_is_right(Place::PodmanAsUser, &[]);
}
