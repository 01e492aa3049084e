//! A way to tell a running login to end.

use tokio::sync::watch;

/// Told by whoever may end a login: a signal handler, a button, a test.
#[derive(Clone, Debug)]
pub struct CancelHandle(watch::Sender<CancelRequest>);

/// Listened to by a login.
#[derive(Clone, Debug)]
pub struct CancelToken(watch::Receiver<CancelRequest>);

/// What was asked of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelRequest {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Ctrl-C, which is the vendor's CLI's to act on at first.
    Interrupt,
    /// To end, now.
    End,
}

/// A pair of them.
pub fn pair() -> (CancelHandle, CancelToken) {
    let (sender, receiver) = watch::channel(CancelRequest::Nothing);
    (CancelHandle(sender), CancelToken(receiver))
}

impl CancelHandle {
    /// Ctrl-C: the first goes to the vendor's CLI, the second ends the login.
    pub fn cancel(&self) {
        self.0.send_modify(|asked| {
            *asked =
                if *asked == CancelRequest::Nothing { CancelRequest::Interrupt } else { CancelRequest::End };
        });
    }

    /// Ends the login.
    pub fn end(&self) {
        self.0.send_replace(CancelRequest::End);
    }
}

impl CancelToken {
    /// The next thing asked. Never returns when nobody can ask any more.
    pub async fn requested(&mut self) -> CancelRequest {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns when anything is asked: where there is no CLI that Ctrl-C would be for.
    pub async fn cancelled(&mut self) {
        while self.so_far() == CancelRequest::Nothing && self.requested().await == CancelRequest::Nothing {}
    }

    /// What has been asked up to now.
    pub fn so_far(&self) -> CancelRequest {
        *self.0.borrow()
    }
}
