//! Wrong usage: nothing is attempted.

use test_support::{Home, code, describe};

#[test]
fn key_for_an_oauth_mode_is_refused() {
    let home = Home::new();
    describe(&home, "acme", "modes: [device]\ndevice: {issuer: 'https://id.example', client_id: demo}");
    home.authenticate(["demo", "acme", "--mode", "device", "--api-key-stdin"])
        .input("sk-CANARY")
        .exits(code::USAGE)
        .says("which mode device does not take")
        .does_not_say("CANARY");
}

#[test]
fn several_modes_need_a_named_mode() {
    let home = Home::new();
    describe(
        &home,
        "acme",
        "modes: [device, browser]\n\
         device: {issuer: 'https://id.example', client_id: demo}\n\
         browser: {issuer: 'https://id.example', client_id: demo}",
    );
    home.authenticate(["demo", "acme"]).exits(code::USAGE).says("use --mode device or --mode browser");
    assert!(!home.data().exists());
}

#[test]
fn wrong_descriptor_is_not_used() {
    let home = Home::new();
    describe(&home, "acme", "modes: [device]\ndevice: {issuer: 'https://id.example'}");
    home.authenticate(["demo", "acme"])
        .exits(code::USAGE)
        .says("device.client_id: mode device needs one: register a client with the vendor");
}
