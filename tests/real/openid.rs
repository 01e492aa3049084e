//! Discovery, device codes, revocation and refresh with an OpenID provider.

use authenticate::{credential::Metadata, oauth::TokenOrigin, refresh::Refreshed};
use test_support::{
    Home, OpenId, code, describe,
    openid::SECRET,
    refresh::{self, EXPIRED},
    tokens,
};

#[test]
fn a_real_server_is_found_and_what_it_says_about_revocation_is_kept() {
    let (home, server) = (Home::new(), OpenId::start());
    let issuer = &server.issuer;
    describe(
        &home,
        "acme",
        &format!(
            "modes: [client_credentials]\nclient_credentials: {{issuer: '{issuer}', client_id: machine, client_secret: 'env:SECRET'}}"
        ),
    );
    let run = home.authenticate(["demo", "acme"]).env("SECRET", SECRET);
    run.exits(code::DONE);
    let origin = TokenOrigin::of(&tokens(&home, "acme").0).expect("an origin");
    assert_eq!(origin.revocation_url.map(|url| url.to_string()), Some(format!("{issuer}/token/revocation")));
}

#[test]
fn a_code_that_is_too_old_ends_it() {
    let (home, server) = (Home::new(), OpenId::with(&["--device-ttl", "2"]));
    let issuer = &server.issuer;
    describe(
        &home,
        "acme",
        &format!("modes: [device]\ndevice: {{issuer: '{issuer}', client_id: demo, scopes: [openid]}}"),
    );
    home.authenticate(["demo", "acme"]).exits(code::LOGIN_FAILED).says("expired_token");
}

/// RFC 7009 section 2.1: as it authenticates at the token endpoint. The server takes it in no other way.
#[test]
fn tokens_are_revoked_by_the_client_in_its_own_way() {
    for (client, auth) in [("machine", "basic"), ("poster", "body")] {
        let (home, server) = (Home::new(), OpenId::start());
        let flow = format!("issuer: '{}', client_id: {client}, client_auth: {auth}", server.issuer);
        let flow = format!("client_credentials: {{{flow}, client_secret: 'env:SECRET'}}");
        describe(&home, "acme", &format!("modes: [client_credentials]\n{flow}"));
        home.authenticate(["demo", "acme"]).env("SECRET", SECRET).exits(code::DONE);
        let leave = home.authenticate(["logout", "demo", "acme"]).env("SECRET", SECRET);
        leave.exits(code::DONE).says("revoked it at the vendor").does_not_say("NOT revoked");
    }
}

/// OpenID Connect Core section 12.2: the subject stays.
#[test]
fn a_person_with_another_e_mail_address_is_the_same_account() {
    let server = OpenId::start();
    let home = refresh::Home::of(&server);
    let metadata = Metadata { account: Some("dev@example.org".into()), ..Metadata::default() };
    let record = home.logged_in_as(&server.login(), EXPIRED, metadata);
    server.renames();
    let Ok(Refreshed::Now(after)) = home.renew(&record, false) else { panic!("not renewed") };
    assert_eq!(after.metadata.account.as_deref(), Some("new@example.org"));
    assert_eq!(home.record(), after);
}
