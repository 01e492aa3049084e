//! Fuzz targets: what somebody else may have written, and what must hold of what we make of it.
//!
//! `tests/fuzz/run` builds this with libFuzzer. Built without it, it takes the name of a target and files, and tries
//! each. The test `corpus` tries the whole corpus.

#![cfg_attr(fuzzing, no_main)]
#![cfg_attr(not(fuzzing), forbid(unsafe_code))]

mod canary;
mod targets;

#[cfg(fuzzing)]
use std::sync::LazyLock;

/// libFuzzer takes the command line; so the target's name is a variable.
#[cfg(fuzzing)]
static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names the target");
    targets::find(&name).unwrap_or_else(|| panic!("FUZZ_TARGET: there is no target {name}"))
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));

#[cfg(not(fuzzing))]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        // One a line, for the script.
        return targets::ALL.iter().for_each(|target| println!("{}", target.name));
    };
    let target = targets::find(&name).unwrap_or_else(|| panic!("there is no target {name}"));
    for file in arguments {
        println!("{file}");
        (target.run)(&std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}")));
    }
}
