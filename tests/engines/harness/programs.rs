//! The stand-ins as an image, in each engine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{Place, output, place::PerEngine};

/// The image with the stand-ins.
pub const IMAGE: &str = "localhost/authenticate-test/programs:latest";

const NAMES: [&str; 3] = ["vendor", "issuer", "github"];

/// The program that is tested.
pub fn authenticate() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_authenticate"))
}

/// One of the stand-ins, built.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let directory = authenticate().parent().expect("the programs' directory");
    BUILT.get_or_init(|| {
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let target = directory.parent().expect("cargo's target directory");
        let mut cargo = Command::new(env!("CARGO"));
        // Set for tests only: build scripts would take it for a change, and dependencies be built anew each time.
        let for_tests = |name: &str| {
            ["CARGO_MANIFEST", "CARGO_PKG", "OUT_DIR"].iter().any(|start| name.starts_with(start))
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(for_tests)) {
            cargo.env_remove(name);
        }
        output(
            cargo
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .args(["build", "--locked", "--quiet", "--package", "test-programs", "--profile", profile])
                .arg("--target-dir")
                .arg(target),
        );
    });
    directory.join(name)
}

/// The image with the stand-ins, which is in the engine from then on.
pub fn image(place: Place) -> &'static str {
    static BUILT: PerEngine<()> = PerEngine::new();
    BUILT.of(place).get_or_init(|| {
        let context = tempfile::tempdir().expect("a directory");
        for name in NAMES {
            output(Command::new("strip").arg("-o").arg(context.path().join(name)).arg(program(name)));
        }
        let text = format!(
            "FROM docker.io/library/debian:bookworm-slim\nCOPY {} /usr/local/bin/\n",
            NAMES.join(" ")
        );
        fs::write(context.path().join("Containerfile"), text).expect("written");
        let directory = context.path().to_str().expect("text");
        let file = format!("{directory}/Containerfile");
        place.ask(&["build", "--quiet", "--tag", IMAGE, "--file", &file, directory]);
    });
    IMAGE
}
