//! Traces of replaced and removed secrets in the files.

use rusqlite::TransactionBehavior;

use super::*;

/// Returns the sealed bytes that are stored for a provider.
fn sealed(store: &Store, provider: &str) -> Vec<u8> {
    let sql = "SELECT secret FROM credential WHERE provider = ?";
    store.connection.query_row(sql, [provider], |row| row.get(0)).expect("stored")
}

/// Returns the start of sealed bytes. Longer ones are spread over several pages.
fn start(sealed: &[u8]) -> &[u8] {
    &sealed[..sealed.len().min(64)]
}

/// Returns whether a file of the data directory contains the bytes.
fn lies_there(directory: &TempDir, text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    let entries = fs::read_dir(directory.path()).expect("a directory");
    entries
        .map(|entry| fs::read(entry.expect("an entry").path()).expect("readable"))
        .any(|content| content.windows(text.len()).any(|window| window == text))
}

#[test]
fn replaced_and_removed_secrets_are_erased_from_the_files() {
    let directory = TempDir::new().expect("a directory");
    // In the row's page, and in pages of its own.
    for long in ["", &"x".repeat(20_000)] {
        let mut store = Store::open(directory.path()).expect("a store");
        store.put(&address("codex"), &key(&format!("canary-1-{long}")), &none()).expect("stored");
        let first = sealed(&store, "codex");
        assert!(lies_there(&directory, start(&first)));
        store.put(&address("codex"), &key(&format!("canary-2-{long}")), &none()).expect("replaced");
        let second = sealed(&store, "codex");
        assert!(lies_there(&directory, start(&second)));
        assert!(!lies_there(&directory, start(&first)));
        let removal = store.remove(&address("codex")).expect("removed");
        assert_eq!(removal, Removal { found: true, erased: true });
        assert!(!lies_there(&directory, start(&second)));
        assert!(!lies_there(&directory, "canary-"));
    }
}

#[test]
fn removal_held_up_by_a_reader_says_so_and_is_erased_later() {
    let (directory, _) = with_database();
    let mut store = Store::open(directory.path()).expect("a store");
    let secret = sealed(&store, "codex");
    let mut reader = Store::open(directory.path()).expect("a store");
    let reading = reader.connection.transaction_with_behavior(TransactionBehavior::Deferred).expect("begun");
    reading.query_row("SELECT count(*) FROM credential", [], |_| Ok(())).expect("read");
    let removal = store.remove(&address("codex")).expect("removed");
    assert_eq!(removal, Removal { found: true, erased: false });
    reading.commit().expect("ended");
    assert!(store.erase().expect("erased"));
    assert!(!lies_there(&directory, start(&secret)));
}

/// As rows come and go, pages are split, and a page may keep a copy of a row that was moved out of it.
#[test]
fn traces_after_many_changes_are_few_and_sealed_and_rewriting_the_file_erases_them() {
    let directory = TempDir::new().expect("a directory");
    let mut store = Store::open(directory.path()).expect("a store");
    store.connection.execute_batch("PRAGMA synchronous = OFF").expect("fast");
    let mut live = BTreeMap::new();
    let mut gone = Vec::new();
    let mut random: u64 = 1;
    for round in 0..600 {
        // A linear congruential generator (Knuth's constants): the same life each time.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = address(&format!("p{}", (random >> 33) % 97));
        if (random >> 20).is_multiple_of(3) {
            store.remove(&at).expect("removed");
            gone.extend(live.remove(&at));
        } else {
            let secret = format!("canary-{round:04}-").repeat(1 + (random >> 40) as usize % 120);
            store.put(&at, &key(&secret), &none()).expect("stored");
            let sealed = start(&sealed(&store, at.provider.as_str())).to_owned();
            gone.extend(live.insert(at, sealed));
        }
    }
    assert!(gone.len() > 200 && live.len() > 20);
    let left = || gone.iter().filter(|sealed| lies_there(&directory, sealed)).count();
    assert!(left() * 10 < gone.len(), "{} of {} still lie there", left(), gone.len());
    assert!(!lies_there(&directory, "canary-"), "nothing is plain");
    assert!(store.rewrite_file().expect("rewritten"));
    assert_eq!(left(), 0);
    assert!(live.values().all(|sealed| lies_there(&directory, sealed)));
}
