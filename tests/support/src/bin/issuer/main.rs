//! A stand-in for the issuer that the Codex CLI logs in to: its device flow, its browser flow, refresh and revocation.
//!
//! `codex login --experimental_issuer http://ADDRESS` (with `--device-auth` or without) logs in to it. What it issued is
//! at `GET /test/issued`, what was revoked at `GET /test/revoked`, and the requests it got at `GET /test/requests`;
//! `POST /test/approve` and `POST /test/deny` decide about a device login: `{"user_code": …}`, or all that wait if there
//! is no body.
//!
//! Claude Code renews at it, too: it is <https://platform.claude.com> then, with that CLI's `--client-id` and `--scope`.
//!
//! The Codex CLI's browser flow knows no other issuer than <https://auth.openai.com>. To log in with it, give this program that
//! name (`--name auth.openai.com --ca-out FILE --listen 127.0.0.1:443`), in a network namespace where the name leads
//! here and nothing leads further, and give the CLI the authority's certificate (`SSL_CERT_FILE`).

mod browser;
mod device;
mod relay;
mod state;
mod test;
mod token;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use clap::{Args, Parser, Subcommand};
use test_support::stand_in::journal::{self, Journal};
use test_support::stand_in::listen::Place;

use crate::state::Issuer;

/// A stand-in for the issuer that the Codex CLI logs in to
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Connect stdin and stdout to a port of 127.0.0.1
    ///
    /// Run inside a container that has no network but its own loopback, this lets a test reach what listens there.
    Relay { port: u16 },
}

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    manner: Manner,
}

/// How the issuer behaves.
#[derive(Args)]
pub struct Manner {
    /// Approve a device login at its Nth poll
    #[arg(long, value_name = "N")]
    auto_approve: Option<u32>,
    /// Answer a browser with the redirect at once, instead of a page with buttons
    #[arg(long)]
    auto_allow: bool,
    /// Text that every secret contains
    #[arg(long, default_value = "", value_name = "PREFIX")]
    canary: String,
    /// The client that may log in
    #[arg(long, default_value = "app_EMoamEEZ73f0CkXaXp7hrann")]
    client_id: String,
    /// The address of the person who logs in
    #[arg(long, default_value = "dev@example.org")]
    email: String,
    /// The account that is logged in to
    #[arg(long, default_value = "account-1")]
    account: String,
    /// The plan of that account
    #[arg(long, default_value = "plus")]
    plan: String,
    /// Scopes that a token may have
    #[arg(long, default_value = "openid profile email offline_access", value_name = "SCOPES")]
    scope: String,
    /// How long an access token lasts
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    expires_in: u64,
    /// How often a device login may ask
    #[arg(long, default_value_t = 1, value_name = "SECONDS")]
    interval: u32,
    /// Give out an API key as well, to a CLI that asks for one after its login
    #[arg(long)]
    api_key: bool,
    /// Think this long about each request for a token, after the token was made
    #[arg(long, default_value_t = 0, value_name = "MS")]
    token_delay: u64,
}

fn main() -> std::io::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Relay { port }) => relay::relay(port),
        None => serve(cli.options),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve(options: Options) -> std::io::Result<()> {
    let journal = Journal::default();
    let issuer = Issuer::new(options.manner).map_err(std::io::Error::other)?;
    let devices = issuer.devices.clone();
    let routes = Router::new()
        .route("/api/accounts/deviceauth/usercode", post(device::user_code))
        .route("/api/accounts/deviceauth/token", post(device::poll))
        .route("/oauth/authorize", get(browser::ask).post(browser::decide))
        .route("/oauth/token", post(token::token))
        .route("/v1/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/test/issued", get(test::issued))
        .route("/test/revoked", get(test::revoked))
        .route("/test/login", post(test::login))
        .with_state(issuer)
        .merge(devices.routes("/codex/device"))
        .route("/test/requests", get(journal::show).with_state(journal.clone()))
        .layer(from_fn_with_state(journal, journal::note));
    options.place.serve(routes).await
}
