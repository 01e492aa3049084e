//! Wrong usage: nothing is attempted.

use test_support::{Home, code, describe};

#[test]
fn a_key_is_not_taken_by_a_mode_that_has_none() {
    let home = Home::new();
    describe(&home, "acme", "modes: [device]\ndevice: {issuer: 'https://id.example', client_id: demo}");
    home.authenticate(["demo", "acme", "--mode", "device", "--api-key-stdin"])
        .input("sk-CANARY")
        .exits(code::USAGE)
        .says("which mode device does not take")
        .does_not_say("CANARY");
}

#[test]
fn among_several_modes_one_is_named() {
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
fn a_descriptor_that_is_wrong_is_not_used() {
    let home = Home::new();
    describe(&home, "acme", "modes: [device]\ndevice: {issuer: 'https://id.example'}");
    home.authenticate(["demo", "acme"])
        .exits(code::USAGE)
        .says("device.client_id: mode device needs one: register a client with the vendor");
}
