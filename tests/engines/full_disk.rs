//! A disk that the vendor's CLI fills.

use std::{fs, path::PathBuf, process::Command};

use crate::harness::{Place, acme, acme::LOG_IN, output};

/// A small file system of its own, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn at(path: PathBuf) -> Self {
        fs::create_dir(&path).expect("made");
        output(Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "none"]).arg(&path));
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn login_is_stored_once_the_rubbish_of_its_cli_is_gone() {
    let home = acme(Place::Docker, &[LOG_IN, "copy /proc/self/exe rubbish"]);
    let _disk = Disk::at(home.data());
    let ended = home.run(&["p", "acme", "--mode", "oauth"]).expect(0);
    assert!(ended.out.contains("No space left") || ended.err.contains("No space left"), "{ended:?}");
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "AAA\n");
    home.assert_nothing_left();
}
