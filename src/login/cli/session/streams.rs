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
    login::cli::url_finder::{FoundUrl, UrlFinder},
};

/// The pause in the output after which a URL at its end is complete.
const PAUSE: Duration = Duration::from_millis(300);
/// Time for the terminal's modes to be switched off when the output is given up.
const RESET: Duration = Duration::from_millis(500);

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Running streams. The tasks end when this is dropped, so that a stuck reader or writer delays nothing.
pub(super) struct Streams {
    /// The login URLs in the output.
    pub(super) urls: mpsc::Receiver<FoundUrl>,
    keys: mpsc::Sender<Vec<u8>>,
    notes: mpsc::Sender<Note>,
    output: JoinSet<bool>,
    input: JoinSet<()>,
    given_up: CancellationToken,
}

/// A note for the reader of the output.
enum Note {
    /// These keys were sent to the CLI.
    Typed(Vec<u8>),
    /// The terminal has this width now.
    Columns(u16),
}

impl Streams {
    /// Starts the tasks. `columns`: the width of the terminal, if there is one.
    pub(super) fn start(attached: Attached, output: Writer, errors: Writer, columns: Option<u16>) -> Self {
        let (found, urls) = mpsc::channel(8);
        let (keys, pressed) = mpsc::channel(64);
        let (notes, noted) = mpsc::channel(64);
        let given_up = CancellationToken::new();
        let pump = Pump {
            given_up: given_up.clone(),
            output,
            errors,
            finder: UrlFinder::new(columns),
            screen: columns.map(|_| Screen::default()),
            noted,
            found,
        };
        let (mut output, mut input) = (JoinSet::new(), JoinSet::new());
        output.spawn(pump.run(attached.output));
        input.spawn(type_keys(pressed, attached.input));
        Self { urls, keys, notes, output, input, given_up }
    }

    /// Sends keys to the CLI. Drops them if the CLI does not read: that must delay nothing.
    pub(super) fn send_keys(&self, bytes: Vec<u8>) {
        // First the note: the CLI may print the keys at once.
        let _ = self.notes.try_send(Note::Typed(bytes.clone()));
        let _ = self.keys.try_send(bytes);
    }

    /// Notes that the terminal has another width.
    pub(super) fn resized(&self, columns: u16) {
        let _ = self.notes.try_send(Note::Columns(columns));
    }

    /// Ends both tasks.
    pub(super) async fn abort(&mut self) {
        self.input.abort_all();
        self.given_up.cancel();
        let _ = timeout(RESET, self.output.join_next()).await;
        self.output.abort_all();
    }

    /// Waits for the end of the output, for `limit` at most. Returns whether the terminal was asked for its `ANSWER`.
    pub(super) async fn finish(&mut self, limit: Duration) -> bool {
        match timeout(limit, self.output.join_next()).await {
            Ok(done) => matches!(done, Some(Ok(true))),
            Err(_) => {
                self.abort().await;
                false
            }
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
    noted: mpsc::Receiver<Note>,
    found: mpsc::Sender<FoundUrl>,
}

impl Pump {
    /// Returns whether the terminal was asked for its `ANSWER`.
    async fn run(mut self, mut printed: Pin<Box<dyn Stream<Item = Output> + Send>>) -> bool {
        loop {
            let next = tokio::select! {
                biased;
                () = self.given_up.cancelled() => break,
                Some(note) = self.noted.recv() => {
                    match note {
                        Note::Typed(keys) => self.finder.typed(&keys),
                        Note::Columns(columns) => self.finder.resized(columns),
                    }
                    continue;
                }
                next = timeout(PAUSE, printed.next()) => next,
            };
            let urls = match next {
                Err(_) => self.finder.pause(),
                Ok(None) => break,
                Ok(Some(piece)) => self.copy(&piece).await,
            };
            self.send(urls).await;
        }
        let urls = self.finder.pause();
        self.send(urls).await;
        let Some((reset, is_asked)) = self.screen.take().map(|screen| screen.reset()) else { return false };
        let _ = self.output.write_all(&reset).await;
        self.output.flush().await.is_ok() && is_asked
    }

    async fn copy(&mut self, piece: &Output) -> Vec<FoundUrl> {
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

    async fn send(&mut self, urls: Vec<FoundUrl>) {
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
