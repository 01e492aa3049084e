//! A way to tell a running login to end.

use tokio::sync::watch;

/// Told by whoever may end a login: a signal handler, a button, a test.
#[derive(Clone, Debug)]
pub struct Interrupter(watch::Sender<Asked>);

/// Listened to by a login.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Asked>);

/// What was asked of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Ctrl-C, which is the vendor's CLI's to act on at first.
    Interrupt,
    /// To end, now.
    End,
}

/// A pair of them.
pub fn pair() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(Asked::Nothing);
    (Interrupter(sender), Interrupt(receiver))
}

impl Interrupter {
    /// Ctrl-C: the first goes to the vendor's CLI, the second ends the login.
    pub fn interrupt(&self) {
        self.0.send_modify(|asked| {
            *asked = if *asked == Asked::Nothing { Asked::Interrupt } else { Asked::End };
        });
    }

    /// Ends the login.
    pub fn end(&self) {
        self.0.send_replace(Asked::End);
    }
}

impl Interrupt {
    /// The next thing asked. Never returns when nobody can ask any more.
    pub async fn asked(&mut self) -> Asked {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns when anything is asked: where there is no CLI that Ctrl-C would be for.
    pub async fn wants_out(&mut self) {
        while self.so_far() == Asked::Nothing && self.asked().await == Asked::Nothing {}
    }

    /// What has been asked up to now.
    pub fn so_far(&self) -> Asked {
        *self.0.borrow()
    }
}
