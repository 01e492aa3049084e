//! The column `details`.

use super::*;
use crate::credential::Owner;

fn oauth() -> Credential {
    Credential::OAuth(OAuth {
        access_token: "a".into(),
        refresh_token: Some("r".into()),
        id_token: None,
        extra: BTreeMap::new(),
    })
}

#[test]
fn owner_and_parts_are_listed_without_the_secret() {
    let mut store = Store::in_memory().expect("a store");
    let vendor = Metadata { owner: Owner::Vendor, ..none() };
    let read = store.put(&address("codex"), &oauth(), &vendor).expect("stored");
    assert_eq!(read.metadata.owner, Owner::Vendor);
    store.put(&address("openai"), &key("k"), &none()).expect("stored");
    let basic = Credential::Basic { username: "ann".into(), password: " ".into() };
    store.put(&address("acme"), &basic, &none()).expect("stored");
    let list = store.list(None).expect("listed");
    let found: Vec<_> =
        list.iter().map(|s| (s.address.to_string(), s.metadata.owner, s.parts.join(" "))).collect();
    let expected = [
        ("acme", Owner::Us, "username"),
        ("codex", Owner::Vendor, "access_token refresh_token"),
        ("openai", Owner::Us, ""),
    ];
    assert_eq!(found, expected.map(|(at, owner, parts)| (at.to_owned(), owner, parts.to_owned())));
}
