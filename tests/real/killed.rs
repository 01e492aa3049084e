//! Holders that die.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use authenticate::{
    refresh::{RefreshError, Refreshed},
    store::AttemptState,
};
use jiff::SignedDuration;
use serde_json::json;
use test_support::{
    OpenId, assert_reuse_ends_a_login, eventually,
    refresh::{Asker, EXPIRED, Home, access_token},
};

/// Some time that is not longer than this.
fn at_most(longest: Duration) -> Duration {
    longest.mul_f64(f64::from(RandomState::new().hash_one(()) as u32) / f64::from(u32::MAX))
}

/// Tells the readers that it is over, also where an assertion ends it.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_holder_killed_at_random_leaves_the_store_whole() {
    let server = OpenId::that_dawdles(Duration::from_millis(50));
    let home = &Home::of(&server);
    home.logged_in(&server.login(), EXPIRED);
    let whole = {
        let (asker, begin) = (Asker::ready(home, 1).go(), Instant::now());
        assert_eq!(asker.answers(), [access_token(&home.record())]);
        begin.elapsed()
    };
    let (mut gone_on, mut unknown) = (0, 0);
    let done = &AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                home.record();
                reads += 1;
                thread::sleep(Duration::from_millis(2));
            }
            reads
        });
        let over = Over(done);
        for round in 0..100 {
            home.expire();
            let before = home.record();
            let (holder, other) = (Asker::ready(home, 1), Asker::ready(home, 1));
            let begin = Instant::now();
            // Both somewhere between beginning and end, wherever that is on this machine.
            let (dies, asks) = (at_most(whole), at_most(whole));
            let holder = holder.go();
            thread::sleep(asks.min(dies));
            let other = match asks < dies {
                true => {
                    let other = other.go();
                    thread::sleep(dies.saturating_sub(begin.elapsed()));
                    holder.kill();
                    other
                }
                false => {
                    holder.kill();
                    other.go()
                }
            };
            let answers = other.answers();
            let now = home.record();
            assert_eq!(home.store().check().expect("readable"), [""; 0], "round {round}: the store is whole");
            if now.version != before.version {
                gone_on += 1;
                assert_eq!(answers, [access_token(&now)], "round {round}");
                // What a holder of an earlier round sent may arrive by now; so it is not the requests that are counted.
                assert_eq!(now.version, before.version + 1, "round {round}: stored once");
                assert_eq!(server.stats()["repeated"], 0, "round {round}: no token was sent twice");
                continue;
            }
            // It died with the exchange under way.
            unknown += 1;
            assert!(answers[0].starts_with("error: the outcome of refreshing acme"), "{answers:?}");
            assert!(
                matches!(home.renew(&now, false), Err(RefreshError::OutcomeUnknown { .. })),
                "round {round}"
            );
            assert_eq!(server.stats()["repeated"], 0, "round {round}: the token was not sent again");
            home.logged_in(&server.login(), SignedDuration::from_hours(1));
        }
        drop(over);
        assert!(reader.join().expect("read") > 100);
    });
    assert!(gone_on > 0 && unknown > 0, "{gone_on} went on, {unknown} unknown");
    let stats = server.stats();
    assert_eq!(
        (&stats["repeated"], &stats["reused"], &stats["errors"]),
        (&json!(0), &json!(false), &json!([]))
    );
    assert!(matches!(home.renew(&home.record(), true), Ok(Refreshed::Now(_))), "the login is alive");
    assert_reuse_ends_a_login(&server);
}

#[test]
fn a_holder_killed_during_an_exchange_leaves_the_outcome_unknown() {
    let server = OpenId::that_dawdles(Duration::from_secs(600));
    let home = Home::of(&server);
    let record = home.logged_in(&server.login(), EXPIRED);
    let holder = Asker::ready(&home, 1).go();
    eventually("the exchange", || server.refreshes() == 1);
    let waiting = home.store().attempt(&home.address()).expect("read").expect("recorded");
    assert_eq!(waiting.state, AttemptState::InFlight);
    assert_eq!(waiting.holder, format!("process {}", holder.id()));
    let id = holder.id();
    holder.kill();
    for _ in 0..2 {
        let Err(RefreshError::OutcomeUnknown { why, .. }) = home.renew(&record, false) else {
            panic!("not known to be unknown");
        };
        assert!(why.contains(&format!("process {id} ended")), "{why}");
    }
    let stats = server.stats();
    assert_eq!(
        (&stats["refreshes"], &stats["repeated"]),
        (&json!(1), &json!(0)),
        "the token was not sent again"
    );
}
