//! The tasks between a CLI's streams and the console.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt as _};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::screen::Screen;
use crate::{
    engine::attach::{Attached, Output},
    login::cli::url_finder::UrlFinder,
};

/// The pause in the output after which a URL at its end is complete.
const PAUSE: Duration = Duration::from_millis(300);
/// Time for the terminal's modes to be switched off when the output is given up.
const RESET: Duration = Duration::from_millis(500);

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Running streams. The tasks end when this is dropped, so that a stuck reader or writer delays nothing.
pub(super) struct Streams {
    /// The login URLs in the output.
    pub(super) urls: mpsc::Receiver<String>,
    keys: mpsc::Sender<Vec<u8>>,
    output: JoinSet<()>,
    input: JoinSet<()>,
    given_up: CancellationToken,
}

impl Streams {
    /// Starts the tasks. `columns`: the width of the terminal, if there is one.
    pub(super) fn start(attached: Attached, output: Writer, errors: Writer, columns: Option<u16>) -> Self {
        let (found, urls) = mpsc::channel(8);
        let (keys, pressed) = mpsc::channel(64);
        let given_up = CancellationToken::new();
        let pump = Pump {
            given_up: given_up.clone(),
            output,
            errors,
            finder: UrlFinder::new(columns),
            screen: columns.map(|_| Screen::default()),
            found,
        };
        let (mut output, mut input) = (JoinSet::new(), JoinSet::new());
        output.spawn(pump.run(attached.output));
        input.spawn(type_keys(pressed, attached.input));
        Self { urls, keys, output, input, given_up }
    }

    /// Sends keys to the CLI. Drops them if the CLI does not read: that must delay nothing.
    pub(super) fn send_keys(&self, bytes: Vec<u8>) {
        let _ = self.keys.try_send(bytes);
    }

    /// Ends both tasks.
    pub(super) async fn abort(&mut self) {
        self.input.abort_all();
        self.given_up.cancel();
        let _ = timeout(RESET, self.output.join_next()).await;
        self.output.abort_all();
    }

    /// Waits for the end of the output, for `limit` at most.
    pub(super) async fn finish(&mut self, limit: Duration) {
        if timeout(limit, self.output.join_next()).await.is_err() {
            self.abort().await;
        }
    }
}

/// Copies the CLI's output to the console and looks for login URLs in it.
struct Pump {
    given_up: CancellationToken,
    output: Writer,
    errors: Writer,
    finder: UrlFinder,
    screen: Option<Screen>,
    found: mpsc::Sender<String>,
}

impl Pump {
    async fn run(mut self, mut printed: Pin<Box<dyn Stream<Item = Output> + Send>>) {
        loop {
            let next = tokio::select! {
                biased;
                () = self.given_up.cancelled() => break,
                next = timeout(PAUSE, printed.next()) => next,
            };
            let urls = match next {
                Err(_) => self.finder.pause(),
                Ok(None) => break,
                Ok(Some(piece)) => self.copy(&piece).await,
            };
            self.send(urls).await;
        }
        if let Some(screen) = self.screen.take() {
            let _ = self.output.write_all(&screen.reset()).await;
            let _ = self.output.flush().await;
        }
        let urls = self.finder.pause();
        self.send(urls).await;
    }

    async fn copy(&mut self, piece: &Output) -> Vec<String> {
        let sink = match piece {
            Output::Out(_) => &mut self.output,
            Output::Err(_) => &mut self.errors,
        };
        // The console may be closed; the login goes on.
        let _ = sink.write_all(piece.bytes()).await;
        let _ = sink.flush().await;
        if let Some(screen) = &mut self.screen {
            screen.feed(piece.bytes());
        }
        self.finder.feed(piece.bytes())
    }

    async fn send(&mut self, urls: Vec<String>) {
        for url in urls {
            let _ = self.found.send(url).await;
        }
    }
}

async fn type_keys(mut pressed: mpsc::Receiver<Vec<u8>>, mut input: Pin<Box<dyn AsyncWrite + Send>>) {
    while let Some(bytes) = pressed.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            break;
        }
    }
}
