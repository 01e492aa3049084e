//! Killed at any moment of giving the store another key, restoring or sealing it, the program leaves one that opens.

use std::{
    fs,
    hint::spin_loop,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use authenticate::store::Store;
use test_support::{Home, KEY, Run, code, files_below, key_ring::KeyRing};

/// How many moments are tried.
const MOMENTS: u32 = 40;
const RECORDS: usize = 30;

/// Runs it, and kills it at a moment; true when it had not ended before.
fn killed(run: Run, at: Duration) -> bool {
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

fn time_of(run: Run) -> Duration {
    let start = Instant::now();
    run.exits(code::DONE);
    start.elapsed()
}

fn filled() -> Home {
    let home = Home::new();
    home.stores("openai", KEY);
    for n in 1..RECORDS {
        let key = authenticate::credential::Credential::api_key(format!("k{n}"));
        home.put(&format!("p{n}"), &key, &Default::default());
    }
    home
}

/// Every record opens.
#[track_caller]
fn is_whole(home: &Home, records: usize) {
    let store = Store::open_existing(&home.data()).expect("opened").expect("there");
    assert_eq!(store.check().expect("checked"), [""; 0]);
    assert_eq!(store.list(None).expect("listed").len(), records);
}

/// How many key files there are, those that are not whole yet included.
fn keys(home: &Home) -> usize {
    let names = files_below(&home.data()).into_iter().map(|file| file.file_name().unwrap().to_owned());
    names.filter(|name| !name.to_string_lossy().starts_with("credentials.db")).count()
}

#[test]
fn while_it_is_given_another_key() {
    let home = filled();
    let rekey = || home.authenticate(["store", "rekey"]);
    let whole = time_of(rekey()).max(time_of(rekey()));
    let mut kills = 0;
    for moment in 0..MOMENTS {
        kills += usize::from(killed(rekey(), whole * moment / MOMENTS));
        is_whole(&home, RECORDS);
        assert!(keys(&home) >= 1);
    }
    assert!(kills > MOMENTS as usize / 4, "only {kills} were killed");
    // What they left lying about goes with the next one.
    rekey().exits(code::DONE);
    let left = files_below(&home.data());
    assert_eq!(
        left.iter().filter(|file| file.to_string_lossy().contains("store.key")).count(),
        1,
        "{left:?}"
    );
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
}

#[test]
fn while_it_gets_its_first_key() {
    let whole = time_of(Home::new().authenticate(["demo", "openai", "--api-key-env", "K"]).env("K", KEY));
    for moment in 0..MOMENTS {
        let home = Home::new();
        let stores = || home.authenticate(["demo", "openai", "--api-key-env", "K"]).env("K", KEY);
        killed(stores(), whole * moment / MOMENTS);
        stores().exits(code::DONE);
        is_whole(&home, 1);
        home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
        let left = files_below(&home.data());
        let names = left.iter().map(|file| file.file_name().unwrap().to_string_lossy());
        let others: Vec<_> = names.filter(|name| !name.starts_with("credentials.db")).collect();
        // A database that was not whole yet may lie there under its temporary name.
        assert_eq!(others.iter().filter(|name| !name.starts_with(".credentials-")).count(), 1, "{left:?}");
    }
}

#[test]
fn while_it_is_restored() {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let home = filled();
    home.write("identity", identity.to_string().expose_secret());
    home.authenticate(["store", "backup", "b.age", "--recipient", &recipient]).exits(code::DONE);
    let restore = || home.authenticate(["store", "restore", "b.age", "--identity", "identity"]);
    let more = || home.stores("mistral", "another");
    more();
    let whole = time_of(restore());
    for moment in 0..MOMENTS {
        more();
        killed(restore(), whole * moment / MOMENTS);
        let store = Store::open_existing(&home.data()).expect("opened").expect("there");
        assert_eq!(store.check().expect("checked"), [""; 0]);
        // All of the one, or all of the other.
        let records = store.list(None).expect("listed").len();
        assert!(records == RECORDS || records == RECORDS + 1, "{records}");
    }
    restore().exits(code::DONE);
    is_whole(&home, RECORDS);
}

#[test]
fn while_it_is_sealed() {
    const FIXTURE: &[u8] = include_bytes!("../fixtures/schema-1.db");
    let with_fixture = || {
        let home = Home::new();
        fs::create_dir(home.data()).expect("made");
        fs::write(home.database(), FIXTURE).expect("written");
        fs::set_permissions(home.database(), fs::Permissions::from_mode(0o600)).expect("closed");
        home
    };
    let whole = time_of(with_fixture().authenticate(["store", "migrate"]));
    for moment in 0..MOMENTS {
        let home = with_fixture();
        killed(home.authenticate(["store", "migrate"]), whole * moment / MOMENTS);
        // Whoever opens it next does the rest.
        home.authenticate(["status"]).exits(code::DONE);
        for file in files_below(&home.data()) {
            let content = fs::read(&file).expect("read");
            let holds = content.windows(11).any(|window| window == b"PLAINCANARY");
            assert!(!holds, "killed at {moment}/{MOMENTS}: {}", file.display());
        }
        is_whole(&home, 45);
        home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints("sk-PLAINCANARY-openai");
    }
}

/// Whichever of the two has the key, it opens.
#[test]
fn while_its_key_moves_to_another_source() {
    let ring = KeyRing::unlocked();
    let home = filled();
    home.write("passphrase", "correct horse\n");
    let with_all = |run: Run| {
        run.env("AUTHENTICATE_PASSPHRASE_FILE", home.path().join("passphrase"))
            .env("DBUS_SESSION_BUS_ADDRESS", ring.address())
    };
    let rekey = |source: &str| {
        let file = home.path().join("passphrase");
        let words = ["store", "rekey", "--source", source];
        let given = ["--passphrase-file", file.to_str().expect("text")];
        let more = if source == "passphrase" { &given[..] } else { &[] };
        with_all(home.authenticate(words.iter().chain(more)))
    };
    let source = || {
        let status = home.authenticate(["store", "status", "--json"]).exits(code::DONE).json();
        status["key"]["source"].as_str().expect("a source").to_owned()
    };
    for other in ["passphrase", "keyring"] {
        let whole = time_of(rekey(other));
        assert_eq!(ring.entries(), usize::from(other == "keyring"));
        rekey("key_file").exits(code::DONE);
        // Most of the time nothing is changed yet: the moment when something is, is looked for, and stayed at.
        let mut at = whole;
        let (mut kills, mut moved) = (0, 0);
        for _ in 0..MOMENTS {
            kills += usize::from(killed(rekey(other), at));
            with_all(home.authenticate(["token", "demo", "openai"])).exits(code::DONE).prints(KEY);
            let now = source();
            assert!(now == "key_file" || now == other, "{now}");
            if now == other {
                moved += 1;
                at = at * 8 / 9;
                rekey("key_file").exits(code::DONE);
            } else {
                at = at * 9 / 8;
            }
            is_whole(&home, RECORDS);
        }
        assert!(kills > MOMENTS as usize / 4, "only {kills} were killed on the way to {other}");
        assert!((1..MOMENTS).contains(&moved), "{moved} had moved to {other}");
        // What they left lying about goes with the next one.
        rekey(other).exits(code::DONE);
        rekey("key_file").exits(code::DONE);
        assert_eq!((keys(&home), ring.entries()), (1, 0), "{other}");
    }
}

/// Before there is a key in it: what is put there first is only to see whether it keeps that.
#[test]
fn while_the_key_ring_is_tried() {
    let ring = KeyRing::unlocked();
    let home = filled();
    let rekey = |source: &str| {
        home.authenticate(["store", "rekey", "--source", source])
            .env("DBUS_SESSION_BUS_ADDRESS", ring.address())
    };
    let whole = time_of(rekey("keyring"));
    rekey("key_file").exits(code::DONE);
    for moment in 0..4 * MOMENTS {
        killed(rekey("keyring"), whole * moment / (4 * MOMENTS));
    }
    rekey("keyring").exits(code::DONE);
    rekey("key_file").exits(code::DONE);
    assert_eq!(ring.entries(), 0);
}
