//! The stand-ins as an image, in each engine.

use std::{fs, process::Command};

use test_support::program;

use super::{Place, output, place::PerEngine};

/// The image with the stand-ins.
pub const IMAGE: &str = "localhost/authenticate-test/programs:latest";

const NAMES: [&str; 3] = ["vendor", "issuer", "github"];

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
