//! Many that ask at once.

use std::{
    collections::BTreeSet,
    process::{Child, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
    thread,
};

use authenticate::lifecycle::{
    refresh::Renewed,
    resolve::{Request, resolve},
};
use jiff::SignedDuration;

use crate::harness::{EXPIRED, Home, Issuer, access_token};

#[test]
fn a_thousand_askers_make_one_exchange() {
    let issuer = Issuer::start(&["--token-delay", "300"]);
    let home = Home::new(&issuer.token_url());
    let before = home.logged_in(&issuer.login(), EXPIRED);
    let askers: Vec<Child> = (0..50)
        .map(|_| home.asker(&["--threads", "20"]).stdout(Stdio::piped()).spawn().expect("started"))
        .collect();
    let mut answers = Vec::new();
    for asker in askers {
        let output = asker.wait_with_output().expect("ended");
        answers.extend(String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned));
    }
    assert_eq!(answers.len(), 1000);
    let different: BTreeSet<_> = answers.iter().collect();
    let now = access_token(&home.record());
    assert_eq!(different, BTreeSet::from([&now]));
    assert_ne!(now, access_token(&before));
    assert_eq!((issuer.exchanges(), issuer.ended()), (1, 0));
    // The login is alive.
    assert!(matches!(home.renew(&home.record(), true), Ok(Renewed::Now(_))));
}

#[test]
fn a_thousand_rotations_under_readers() {
    let issuer = Issuer::start(&[]);
    let home = &Home::new(&issuer.token_url());
    let mut record = home.logged_in(&issuer.login(), SignedDuration::from_hours(1));
    let reads = &AtomicUsize::new(0);
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| {
            let (starts, started) = sync_channel::<()>(1);
            scope.spawn(move || {
                let request = Request::new(&"p".parse().expect("a name"), "acme");
                for () in started {
                    resolve(&home.paths, &request).expect("readable").as_it_is().expect("usable");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
            starts
        });
        for _ in 0..1000 {
            // Each reads while the next exchange is under way; who has not read yet is not waited for.
            for reader in &readers {
                let _ = reader.try_send(());
            }
            let Renewed::Now(next) = home.renew(&record, true).expect("renewed") else { panic!("not by us") };
            assert_ne!(access_token(&next), access_token(&record));
            record = next;
        }
    });
    assert_eq!((issuer.exchanges(), issuer.ended()), (1000, 0));
    assert!(reads.load(Ordering::Relaxed) > 100);
}
