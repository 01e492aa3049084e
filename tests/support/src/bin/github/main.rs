//! A stand-in for a GitHub host, as far as `gh auth` needs one: the device flow, and who the person is.
//!
//! gh speaks https to port 443 of the host that it logs in to, so run this as
//! `github --listen 127.0.0.1:443 --name git.example.org --ca-out ca.pem` where the name leads to that address, and give
//! gh the authority's certificate (`SSL_CERT_FILE`). For github.com itself, its second name is api.github.com.
//! `GET /test/issued`, `GET /test/requests`, `POST /test/approve` and `POST /test/deny` are as in `issuer`.

mod api;
mod oauth;

use std::sync::{Arc, Mutex};

use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::{Args, Parser};
use serde_json::Value;
use test_support::stand_in::device::Devices;
use test_support::stand_in::journal::{self, Journal, lock};
use test_support::stand_in::listen::Place;
use test_support::stand_in::mint::Mint;

/// A stand-in for a GitHub host, as far as `gh auth` needs one
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    manner: Manner,
}

/// How the host behaves.
#[derive(Args)]
struct Manner {
    /// Approve a device login at its Nth poll
    #[arg(long, value_name = "N")]
    auto_approve: Option<u32>,
    /// Text that every secret contains
    #[arg(long, default_value = "", value_name = "PREFIX")]
    canary: String,
    /// The name of the person who logs in
    #[arg(long, default_value = "octocat")]
    login: String,
    /// The scopes that a token gets, instead of those that were asked for
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,
    /// How often a device login may ask
    #[arg(long, default_value_t = 1, value_name = "SECONDS")]
    interval: u32,
    /// Tell a device login to slow down at its first poll: 5 seconds more between polls (gh 2.23 gives up instead)
    #[arg(long)]
    slow_down: bool,
}

/// The host, shared by all requests.
#[derive(Clone)]
struct Host {
    manner: Arc<Manner>,
    mint: Mint,
    devices: Devices,
    /// The scopes that each waiting device login asked for, by its device code.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    /// Every token, as it was given out.
    issued: Arc<Mutex<Vec<Value>>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let Cli { place, manner } = Cli::parse();
    let devices = Devices::new(manner.auto_approve);
    let host = Host {
        mint: Mint::new(manner.canary.clone()).map_err(std::io::Error::other)?,
        manner: Arc::new(manner),
        devices: devices.clone(),
        asked: Arc::default(),
        issued: Arc::default(),
    };
    let issued = Arc::clone(&host.issued);
    let journal = Journal::default();
    let routes = Router::new()
        .route("/login/device/code", post(oauth::device_code))
        .route("/login/oauth/access_token", post(oauth::access_token))
        // An enterprise host has its API below /api, github.com has it on api.github.com.
        .route("/api/v3/", get(api::root))
        .route("/", get(api::root))
        .route("/api/v3/user", get(api::user))
        .route("/user", get(api::user))
        .route("/api/graphql", post(api::graphql))
        .route("/graphql", post(api::graphql))
        .with_state(host)
        .merge(devices.routes("/login/device"))
        .route("/test/issued", get(|| async move { Json(lock(&issued).clone()) }))
        .route("/test/requests", get(journal::show).with_state(journal.clone()))
        .layer(from_fn_with_state(journal, journal::note));
    place.serve(routes).await
}
