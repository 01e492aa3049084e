//! Cancellation of a running login.

use tokio::sync::watch;

/// The side that cancels a login: a signal handler, a button, a test.
#[derive(Clone, Debug)]
pub struct CancelHandle(watch::Sender<CancelRequest>);

/// The side that a login listens to.
#[derive(Clone, Debug)]
pub struct CancelToken(watch::Receiver<CancelRequest>);

/// The request to a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelRequest {
    /// Go on.
    #[default]
    Nothing,
    /// Pass Ctrl-C to the vendor's CLI, which decides what to do. A login without a CLI ends.
    Interrupt,
    /// End now.
    End,
}

/// Makes a connected pair.
pub fn pair() -> (CancelHandle, CancelToken) {
    let (sender, receiver) = watch::channel(CancelRequest::Nothing);
    (CancelHandle(sender), CancelToken(receiver))
}

impl CancelHandle {
    /// Requests an interrupt, as for Ctrl-C; the second time, the end.
    pub fn cancel(&self) {
        self.0.send_modify(|request| {
            *request = match request {
                CancelRequest::Nothing => CancelRequest::Interrupt,
                _ => CancelRequest::End,
            };
        });
    }

    /// Requests the end.
    pub fn end(&self) {
        self.0.send_replace(CancelRequest::End);
    }
}

impl CancelToken {
    /// Waits for the next request. Never returns once the [`CancelHandle`] is dropped.
    pub async fn requested(&mut self) -> CancelRequest {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until an interrupt or the end is requested. For a login without a CLI.
    pub async fn cancelled(&mut self) {
        while self.so_far() == CancelRequest::Nothing && self.requested().await == CancelRequest::Nothing {}
    }

    /// Returns the latest request.
    pub fn so_far(&self) -> CancelRequest {
        *self.0.borrow()
    }
}
