//! The inputs in `tests/fuzz/corpus`, tried by their fuzz targets.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "fuzz/src/canary.rs"]
mod canary;
#[path = "fuzz/src/targets/mod.rs"]
mod targets;

use std::{fs, path::Path};

#[test]
fn each_target_holds_for_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for target in targets::ALL {
        let files = fs::read_dir(corpus.join(target.name)).expect(target.name);
        let mut tried = 0;
        for file in files {
            let file = file.expect("a file").path();
            println!("{}", file.display());
            (target.run)(&fs::read(&file).expect("readable"));
            tried += 1;
        }
        assert!(tried > 0, "{} has no corpus", target.name);
    }
    for directory in fs::read_dir(corpus).expect("a corpus") {
        let name = directory.expect("a directory").file_name().into_string().expect("a name");
        assert!(targets::find(&name).is_some(), "there is no target {name}");
    }
}
