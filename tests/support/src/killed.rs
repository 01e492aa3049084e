//! Runs that are killed at some moment, and a store that must be whole after each.

use std::{
    hint::spin_loop,
    time::{Duration, Instant},
};

use authenticate::{
    credential::{Credential, Metadata},
    store::Store,
};

use crate::{Home, KEY, Run, code, files_below};

/// The number of moments that are tried.
pub const MOMENTS: u32 = 40;
/// The number of records in a store that is [`filled`].
pub const RECORDS: usize = 30;

/// Kills a run at a moment; false if it had ended before.
pub fn killed(run: Run, at: Duration) -> bool {
    let start = Instant::now();
    let mut child = run.starts();
    drop(child.stdin.take());
    while child.try_wait().expect("its state").is_none() {
        if start.elapsed() >= at {
            child.kill().expect("killed");
            return child.wait().expect("ended").code().is_none();
        }
        spin_loop();
    }
    false
}

/// The time that a whole run takes.
pub fn time_of(run: Run) -> Duration {
    let start = Instant::now();
    run.exits(code::DONE);
    start.elapsed()
}

/// A home whose store has [`RECORDS`] API keys.
pub fn filled() -> Home {
    let home = Home::new();
    home.stores("openai", KEY);
    for n in 1..RECORDS {
        let key = Credential::api_key(format!("k{n}"));
        home.put(&format!("p{n}"), &key, &Metadata::default());
    }
    home
}

/// Asserts that every record opens.
#[track_caller]
pub fn is_whole(home: &Home, records: usize) {
    let store = Store::open_existing(&home.data()).expect("opened").expect("there");
    assert_eq!(store.check().expect("checked"), [""; 0]);
    assert_eq!(store.list(None).expect("listed").len(), records);
}

/// The number of key files, unfinished ones included.
pub fn keys(home: &Home) -> usize {
    let names = files_below(&home.data()).into_iter().map(|file| file.file_name().unwrap().to_owned());
    names.filter(|name| !name.to_string_lossy().starts_with("credentials.db")).count()
}
