//! Stores whose process is killed while their key moves.

use test_support::{
    KEY, Run, code,
    key_ring::KeyRing,
    killed::{MOMENTS, RECORDS, filled, is_whole, keys, killed, time_of},
};

/// Whichever of the two has the key, it opens.
#[test]
fn a_store_killed_while_its_key_moves_opens() {
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
fn a_probe_killed_leaves_nothing_in_the_key_ring() {
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
