//! The program that is tested, and the stand-ins of `src/bin`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, OnceLock},
};

static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    env::var("CARGO_BIN_EXE_authenticate").expect("cargo names the program: run the tests by `cargo test`")
});

/// The path of the program that is tested.
pub fn program_path() -> &'static str {
    &PROGRAM
}

/// The path of a stand-in, which is built beside the program if need be.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let directory = Path::new(program_path()).parent().expect("the programs' directory");
    BUILT.get_or_init(|| {
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args([
            "build",
            "--locked",
            "--quiet",
            "--package",
            "authenticate",
            "--package",
            "test-support",
        ]);
        cargo.args(["--bins", "--profile", profile]);
        cargo.arg("--target-dir").arg(directory.parent().expect("cargo's target directory"));
        // Some build scripts would take the variables of a test for a change.
        let for_tests = |name: &str| {
            ["CARGO_MANIFEST", "CARGO_PKG", "OUT_DIR"].iter().any(|start| name.starts_with(start))
        };
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(for_tests)) {
            cargo.env_remove(name);
        }
        assert!(cargo.status().expect("cargo").success());
    });
    directory.join(name)
}
