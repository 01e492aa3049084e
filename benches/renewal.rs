//! What it costs that many ask for one expired token at once: `cargo bench --bench renewal`.
//!
//! The server takes 50 ms for an exchange, as one across a network would. Each figure is the median of pairs that were
//! run in turn: one asker, then the crowd, each with a token of its own.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use authenticate::{
    Client,
    config::Paths,
    credential::{Address, Credential, Metadata, OAuth},
    store::{KeySource, Place, Store},
};
use jiff::{SignedDuration, Timestamp};

const EXCHANGE: Duration = Duration::from_millis(50);
const PAIRS: usize = 15;

fn main() {
    let exchanges = Arc::new(AtomicU64::new(0));
    let url = serve(exchanges.clone());
    let place = tempfile::tempdir().expect("a temporary directory");
    let paths = Paths::new(place.path().join("config"), place.path().join("data"));
    describe(&paths, &url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");

    let tasks = |count: usize| {
        expire(&paths);
        let client = Client::new(paths.clone());
        let begin = Instant::now();
        runtime.block_on(async {
            let asked = (0..count).map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.credential("acme").await })
            });
            for one in asked.collect::<Vec<_>>() {
                one.await.expect("ended").expect("a credential");
            }
        });
        begin.elapsed()
    };
    compare("100 tasks of one process", "one task", || tasks(100), || tasks(1));

    let processes = |count: usize| {
        expire(&paths);
        let begin = Instant::now();
        for mut one in (0..count).map(|_| token(place.path())).collect::<Vec<_>>() {
            assert!(one.wait().expect("ended").success());
        }
        begin.elapsed()
    };
    compare("20 processes", "one process", || processes(20), || processes(1));

    let rounds = (4 * (PAIRS + 1)) as u64;
    assert_eq!(exchanges.load(Ordering::Relaxed), rounds, "each token was exchanged once");
}

fn compare(crowd: &str, one: &str, many: impl Fn() -> Duration, single: impl Fn() -> Duration) {
    many();
    single();
    let times: Vec<(Duration, Duration)> = (0..PAIRS).map(|_| (many(), single())).collect();
    let mut ratios: Vec<f64> = times.iter().map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let mut slowest: Vec<Duration> = times.into_iter().map(|(a, _)| a).collect();
    slowest.sort();
    let (ratio, time) = (ratios[PAIRS / 2], slowest[PAIRS / 2]);
    println!("{crowd} that need one renewed token / {one}: {ratio:.2}x ({time:?} until the last one has it)");
}

/// A token endpoint that takes its time. Returns its URL.
fn serve(exchanges: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let exchanges = exchanges.clone();
            thread::spawn(move || answer(stream.expect("a connection"), &exchanges));
        }
    });
    url
}

fn answer(mut stream: TcpStream, exchanges: &AtomicU64) {
    let mut reader = BufReader::new(stream.try_clone().expect("a reader"));
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).expect("a line") == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    thread::sleep(EXCHANGE);
    let number = exchanges.fetch_add(1, Ordering::Relaxed);
    let body = format!(
        r#"{{"access_token": "a{number}", "refresh_token": "r{number}", "token_type": "bearer", "expires_in": 3600}}"#
    );
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").expect("answered");
}

fn describe(paths: &Paths, url: &str) {
    let refresh = format!("refresh: {{strategy: oauth, token_url: '{url}', client_id: bench}}");
    std::fs::create_dir_all(paths.providers()).expect("made");
    std::fs::write(paths.providers().join("acme.yaml"), format!("modes: [api_key]\n{refresh}\n"))
        .expect("written");
}

/// Stores a login that expired a minute ago.
fn expire(paths: &Paths) {
    let mut store = Store::open(Place::from(paths.data()).key_source(KeySource::KeyFile)).expect("a store");
    let tokens = OAuth {
        access_token: "old".into(),
        refresh_token: Some("old".into()),
        id_token: None,
        extra: Default::default(),
    };
    let expired = Timestamp::now() - SignedDuration::from_mins(1);
    let metadata = Metadata { expires_at: Some(expired), ..Metadata::default() };
    let address = Address::default_profile("acme".parse().expect("a name"));
    store.put(&address, &Credential::OAuth(tokens), &metadata).expect("stored");
}

fn token(place: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authenticate"));
    command.args(["token", "demo", "acme"]).stdin(Stdio::null()).stdout(Stdio::null());
    command.env("AUTHENTICATE_CONFIG_DIR", place.join("config"));
    command.env("AUTHENTICATE_DATA_DIR", place.join("data"));
    command.spawn().expect("started")
}
