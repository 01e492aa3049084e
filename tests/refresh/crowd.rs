//! Many processes that ask for one expired token at once.

use std::collections::BTreeSet;

use authenticate::refresh::Refreshed;
use test_support::{
    Issuer,
    refresh::{Asker, EXPIRED, Home, access_token},
};

#[test]
fn hundred_concurrent_callers_refresh_once() {
    let server = Issuer::start(&["--token-delay", "300"]);
    let home = Home::new(&server.token_url());
    let before = home.logged_in(&server.login(), EXPIRED);
    let ready: Vec<Asker> = (0..10).map(|_| Asker::ready(&home, 10)).collect();
    let asking: Vec<Asker> = ready.into_iter().map(Asker::go).collect();
    let answers: Vec<String> = asking.into_iter().flat_map(Asker::answers).collect();
    assert_eq!(answers.len(), 100);
    let now = access_token(&home.record());
    assert_eq!(answers.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&now]));
    assert_ne!(now, access_token(&before));
    assert_eq!((server.exchanges(), server.ended()), (1, 0));
    assert!(matches!(home.renew(&home.record(), true), Ok(Refreshed::Now(_))), "the login is alive");
}
