//! File systems as people have them: read-only, full, without inodes, and those of programs in user space.
//!
//! Each is mounted in a mount namespace of its own, which ends with its processes.

use std::process::Command;

use test_support::{Ended, Home, KEY, LIMIT, Running, program_path};

/// Runs a script in which `A` is the program, `K` has it store a key, and `D` is the data directory, on the file system
/// that `mount` mounts at `M`, from `R` if it shows another directory.
fn on(mount: &str, script: &str) -> Ended {
    let home = Home::new();
    let (key, mounted) = (home.write("key", KEY), home.path().join("mounted"));
    let sftp = home.write("sftp", "#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n");
    for directory in ["mounted", "real"] {
        std::fs::create_dir(home.path().join(directory)).expect("made");
    }
    let script = format!("set -e; chmod 700 sftp; {mount}\n{script}");
    let mut command = Command::new("unshare");
    let namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    command.args(namespaces).args(["sh", "-c", &script]).env_clear().envs(home.environment());
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("M", &mounted).env("D", mounted.join("data")).env("R", home.path().join("real"));
    command.env("AUTHENTICATE_DATA_DIR", mounted.join("data")).env("SFTP", sftp);
    command
        .env("A", program_path())
        .env("K", format!("demo openai --mode api_key --api-key-file {}", key.display()));
    command.current_dir(home.path());
    Running::start(&mut command).end_within(LIMIT)
}

const TMPFS: &str = "mount -t tmpfs -o size=700k,mode=755 none $M";
/// Commands that may have run last, and what they leave.
const LAST: [&str; 3] = ["true", "$A token demo openai", "$A token demo openai; rm $D/credentials.db-shm"];

/// The key, printed by the last command alone.
fn reads_the_key(mount: &str, unwritable: &str) {
    for last in LAST {
        let script =
            format!("$A $K; {{ {last}; }} >out; {unwritable}; $A token demo openai; $A status openai");
        let ended = on(mount, &script).expect(0);
        assert!(
            ended.out.starts_with(&format!("{KEY}\n")) && ended.out.contains("stored"),
            "{last}: {ended:?}"
        );
    }
}

#[test]
fn stored_secret_is_read_from_a_read_only_mount() {
    reads_the_key(TMPFS, "mount -o remount,ro $M");
    reads_the_key(TMPFS, "mount --bind $M $M; mount -o remount,bind,ro $M");
    let script = "$A $K; mount -o remount,ro $M; $A doctor && exit 1; ! $A demo mistral --api-key-file key";
    let ended = on(TMPFS, script).expect(0);
    assert!(ended.out.contains("its file system is read-only"), "{ended:?}");
    assert!(ended.out.contains("mount it for writing") && !ended.out.contains("chmod"), "{ended:?}");
    assert!(ended.err.contains("credentials.db: its file system is read-only"), "{ended:?}");
}

#[test]
fn stored_secret_is_read_from_a_full_disk() {
    let fill = "cat /dev/zero >$M/rubbish 2>full || true";
    reads_the_key(TMPFS, fill);
    let ended = on(TMPFS, &format!("$A $K; {fill}; ! $A demo mistral --api-key-file key")).expect(0);
    assert!(ended.err.contains("credentials.db: its disk is full"), "{ended:?}");
}

#[test]
fn disk_without_inodes_is_named_so() {
    let mount = "mount -t tmpfs -o size=9m,nr_inodes=12,mode=755 none $M";
    let fill = "i=0; while touch $M/rubbish$i 2>full; do i=$((i+1)); done";
    reads_the_key(mount, fill);
    let ended =
        on(mount, &format!("$A $K; {fill}; $A doctor && exit 1; ! $A demo mistral --api-key-file key"));
    let ended = ended.expect(0);
    assert!(ended.err.contains("its disk is out of inodes"), "{ended:?}");
    assert!(ended.out.contains("its disk is out of inodes"), "{ended:?}");
}

const USED: &str =
    "$A $K; $A token demo openai; $A $K; $A logout demo openai; $A $K; ls -A $D; $A token demo openai";
const SSHFS: &str = "-o sftp_server=/usr/lib/openssh/sftp-server,ssh_command=$SFTP,direct_io x:$R $M";
const NO_SHARED_MEMORY: &str = "maps no shared memory: the store uses a rollback journal";

#[test]
fn file_system_without_atomic_rename_holds_a_store() {
    let ended = on("bindfs -f $R $M & while ! mountpoint -q $M; do sleep 0.1; done", USED).expect(0);
    assert!(ended.out.starts_with(KEY) && ended.out.ends_with(&format!("{KEY}\n")), "{ended:?}");
    assert!(!ended.err.contains(NO_SHARED_MEMORY), "{ended:?}");
}

#[test]
fn file_system_without_shared_memory_gets_a_rollback_journal() {
    let ended = on(&format!("sshfs {SSHFS}"), USED).expect(0);
    assert!(ended.out.starts_with(KEY) && ended.out.ends_with(&format!("{KEY}\n")), "{ended:?}");
    assert_eq!(ended.err.matches(NO_SHARED_MEMORY).count(), 1, "{ended:?}");
    assert!(!ended.out.contains("-shm") && !ended.out.contains("-wal"), "{ended:?}");
    // A store that was made elsewhere, and has a log.
    let made = "AUTHENTICATE_DATA_DIR=$R/data $A $K; AUTHENTICATE_DATA_DIR=$R/data $A token demo openai >out";
    let ended = on(&format!("{made}; sshfs {SSHFS}"), USED).expect(0);
    assert!(ended.out.starts_with(KEY) && ended.out.ends_with(&format!("{KEY}\n")), "{ended:?}");
    assert_eq!(ended.err.matches(NO_SHARED_MEMORY).count(), 1, "{ended:?}");
}

#[test]
fn chmod_is_not_advised_where_it_changes_nothing() {
    let stores = "AUTHENTICATE_DATA_DIR=$R/data $A $K";
    for (options, why) in [("", "keeps no modes"), ("-r", "is read-only")] {
        let mount = format!(
            "bindfs -f {options} --perms=0644:ud+x $R $M & while ! mountpoint -q $M; do sleep 0.1; done"
        );
        let ended = on(&format!("{stores}; {mount}"), "! $A token demo openai; ! $A doctor").expect(0);
        let said = format!("access to it (mode 0644), and its file system {why}: choose another directory");
        assert!(ended.err.contains(&said) && !format!("{ended:?}").contains("chmod"), "{ended:?}");
    }
}

#[test]
fn unfit_file_system_is_refused_before_anything_is_made() {
    let modes = "bindfs -f --perms=0644:ud+x $R $M & while ! mountpoint -q $M; do sleep 0.1; done";
    // Files cannot be written in place.
    let rclone = "rclone mount --config /dev/null --file-perms 0600 --dir-perms 0700 :local:$R $M --daemon";
    for (mount, why) in [(modes, "it keeps no modes"), (rclone, "disk I/O error")] {
        let ended = on(mount, "! $A $K; ls -A $D").expect(0);
        let said = format!("credentials.db: its file system is not fit for a database: {why}");
        assert!(ended.err.contains(&said), "{ended:?}");
        assert!(ended.err.contains("hint: choose another data directory"), "{ended:?}");
        assert_eq!(ended.out, "", "{ended:?}");
    }
}
