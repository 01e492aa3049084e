//! The programs in `src/bin`, built beside the one that is tested. Included by the tests that run them.

use std::{path::PathBuf, process::Command, sync::OnceLock};

/// One of them.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let tested = PathBuf::from(env!("CARGO_BIN_EXE_authenticate"));
    let directory = tested.parent().expect("the programs' directory");
    BUILT.get_or_init(|| {
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args(["build", "--locked", "--quiet", "--package", "test-programs", "--profile", profile]);
        cargo.arg("--target-dir").arg(directory.parent().expect("cargo's target directory"));
        // What cargo sets for tests, some build scripts would take for a change.
        let for_tests = |name: &str| {
            ["CARGO_MANIFEST", "CARGO_PKG", "OUT_DIR"].iter().any(|start| name.starts_with(start))
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(for_tests)) {
            cargo.env_remove(name);
        }
        assert!(cargo.status().expect("cargo").success());
    });
    directory.join(name)
}
