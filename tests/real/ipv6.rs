//! Engines at IPv6 addresses, which not every machine has.

use std::net::{Ipv6Addr, TcpListener};

use test_support::{
    Home, code,
    fake_engine::{listen_at, usual},
};

#[test]
fn an_engine_at_an_ipv6_address_is_reached() {
    let home = Home::new();
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    listen_at(listener, usual);
    home.authenticate(["demo", "codex", "--mode", "oauth", "--image", "example", "--engine", &url])
        .exits(code::LOGIN_FAILED)
        .says("the login ended, and left no credential");
}
