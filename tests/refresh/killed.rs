//! Holders that die.

use std::{
    fs::Permissions,
    hash::{BuildHasher as _, RandomState},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Stdio,
    thread,
    time::Duration,
};

use authenticate::{
    lifecycle::refresh::{RefreshError, Renewed},
    store::{Begun, ExchangeState},
};
use jiff::SignedDuration;

use crate::harness::{EXPIRED, Home, Issuer, eventually};

#[test]
fn a_hundred_times_at_random() {
    let issuer = Issuer::start(&["--token-delay", "10"]);
    let home = Home::new(&issuer.token_url());
    let mut record = home.logged_in(&issuer.login(), SignedDuration::from_hours(1));
    let (mut renewed, mut unknown) = (0, 0);
    for round in 0..100 {
        let mut asker = home.asker(&["--force"]).stdout(Stdio::null()).spawn().expect("started");
        // Somewhere between its start and its end, wherever that is on this machine.
        thread::sleep(Duration::from_micros(RandomState::new().hash_one(round) % 60_000));
        let _ = asker.kill();
        asker.wait().expect("ended");
        record = match home.renew(&home.record(), false) {
            Ok(renewal) => {
                renewed += usize::from(renewal.clone().record().version != record.version);
                renewal.record()
            }
            Err(RefreshError::OutcomeUnknown { .. }) => {
                unknown += 1;
                home.logged_in(&issuer.login(), SignedDuration::from_hours(1))
            }
            Err(error) => panic!("{error}"),
        };
        assert!(
            matches!(home.renew(&record, true), Ok(Renewed::Now(_))),
            "round {round}: the login is alive"
        );
        record = home.record();
    }
    assert_eq!(issuer.ended(), 0, "no token was sent twice ({renewed} renewed, {unknown} unknown)");
}

#[test]
fn in_the_middle_of_an_exchange() {
    let issuer = Issuer::start(&["--token-delay", "60000"]);
    let home = Home::new(&issuer.token_url());
    let record = home.logged_in(&issuer.login(), EXPIRED);
    let mut asker = home.asker(&[]).stdout(Stdio::null()).spawn().expect("started");
    eventually("the exchange", || issuer.exchanges() == 1);
    let waiting = home.store().exchange(&home.address()).expect("read").expect("recorded");
    assert_eq!(waiting.state, ExchangeState::Sent);
    assert_eq!(waiting.holder, format!("process {}", asker.id()));
    asker.kill().expect("killed");
    asker.wait().expect("ended");
    for _ in 0..2 {
        let Err(RefreshError::OutcomeUnknown { why, .. }) = home.renew(&record, false) else {
            panic!("not known to be unknown");
        };
        assert!(why.contains(&format!("process {} died", asker.id())), "{why}");
    }
    assert_eq!((issuer.exchanges(), issuer.ended()), (1, 0), "the token was not sent again");
}

#[test]
fn before_anything_was_sent_nothing_is_lost() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let record = home.logged_in(&issuer.login(), EXPIRED);
    // A lock file that nobody holds.
    std::fs::create_dir_all(home.paths.turns()).expect("made");
    let private = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("private");
    };
    private(&home.paths.turns(), 0o700);
    let file = home.paths.turns().join("default~acme~default.lock");
    std::fs::write(&file, "").expect("written");
    private(&file, 0o600);
    assert!(matches!(home.renew(&record, false), Ok(Renewed::Now(_))));
    assert_eq!(std::fs::read_dir(home.paths.turns()).expect("read").count(), 0);
    let moved = home.store().begin_exchange(&home.address(), record.version, "me", false).expect("asked");
    assert_eq!(moved, Begun::Moved);
}
