//! Many that ask at once, of a real OAuth server that rotates refresh tokens and takes one that comes twice for a theft.

use std::{
    collections::{BTreeSet, HashMap},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::Duration,
};

use authenticate::refresh::Refreshed;
use jiff::SignedDuration;
use serde_json::json;
use test_support::{
    OpenId, assert_reuse_ends_a_login,
    refresh::{Asker, EXPIRED, Home, access_token},
};

#[test]
fn a_thousand_askers_make_one_exchange() {
    let server = OpenId::that_dawdles(Duration::from_millis(300));
    let home = Home::of(&server);
    let before = home.logged_in(&server.login(), EXPIRED);
    let ready: Vec<Asker> = (0..50).map(|_| Asker::ready(&home, 20)).collect();
    let asking: Vec<Asker> = ready.into_iter().map(Asker::go).collect();
    let answers: Vec<String> = asking.into_iter().flat_map(Asker::answers).collect();
    assert_eq!(answers.len(), 1000);
    let now = access_token(&home.record());
    assert_eq!(answers.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&now]));
    assert_ne!(now, access_token(&before));
    let stats = server.stats();
    assert_eq!(
        (&stats["refreshes"], &stats["repeated"], &stats["errors"]),
        (&json!(1), &json!(0), &json!([]))
    );
    // The login is alive.
    assert!(server.accepts(&now));
    assert!(matches!(home.renew(&home.record(), true), Ok(Refreshed::Now(_))));
    assert_reuse_ends_a_login(&server);
}

/// Reads once each time that it is told to; what it read, in order.
fn read(told: &Receiver<()>, once: impl Fn() -> String) -> Vec<String> {
    told.iter().map(|()| once()).collect()
}

#[test]
fn a_thousand_rotations_under_readers() {
    let server = OpenId::start();
    let home = &Home::of(&server);
    let mut record = home.logged_in(&server.login(), SignedDuration::from_hours(1));
    let mut tokens = HashMap::from([(access_token(&record), 0)]);
    let here = || access_token(&home.record());
    let elsewhere = || {
        let ran = home.run(&["token", "p", "acme"]);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).expect("text").trim_end().to_owned()
    };
    let read_by: Vec<Vec<String>> = thread::scope(|scope| {
        let (threads, told): (Vec<_>, Vec<_>) = (0..3)
            .map(|number| {
                let (tell, told) = sync_channel::<()>(1);
                let reader = scope.spawn(move || match number {
                    0 => read(&told, elsewhere),
                    _ => read(&told, here),
                });
                (reader, tell)
            })
            .unzip();
        for number in 1..=1000 {
            // Each reads while the next exchange is under way; who has not read yet is not waited for.
            for tell in &told {
                let _ = tell.try_send(());
            }
            let Refreshed::Now(next) = home.renew(&record, true).expect("renewed") else {
                panic!("not by us")
            };
            assert_eq!(tokens.insert(access_token(&next), number), None, "another token each time");
            record = next;
        }
        drop(told);
        threads.into_iter().map(|reader| reader.join().expect("read")).collect()
    });
    for read in read_by {
        // Each read was of a token that was current once, and never of an older one after a newer.
        let order: Vec<i32> = read.iter().map(|token| tokens[token]).collect();
        assert!(order.is_sorted() && order.len() > 30, "{order:?}");
    }
    let stats = server.stats();
    assert_eq!(
        (&stats["refreshes"], &stats["repeated"], &stats["errors"]),
        (&json!(1000), &json!(0), &json!([]))
    );
    assert!(server.accepts(&access_token(&record)));
    assert_reuse_ends_a_login(&server);
}
