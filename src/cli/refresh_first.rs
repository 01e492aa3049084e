//! Credentials that are renewed before they are used.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use authenticate::{
    Error,
    config::Paths,
    login::LoginError,
    resolve::{Lookup, Request, Resolved, ensure_fresh},
    ui::UiError,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tokio::signal::unix::{SignalKind, signal};

use super::{failure::chain, output, signals::SignalsHandled, terminal::TerminalUi};

/// The credential, renewed if that is due. One that is not needs no runtime and no network.
pub fn ready(paths: &Paths, request: &Request, found: Lookup) -> anyhow::Result<Resolved> {
    let stale = match found {
        Lookup::Ready(resolved) => return Ok(resolved),
        Lookup::Expiring(stale) => stale,
    };
    let ui = TerminalUi::new().data_on_stdout(true);
    let alive = to_the_end(ensure_fresh::ensure_fresh(paths, None, request, stale, &ui))??;
    if let Some(why) = alive.not_refreshed {
        let why = Error::from(why);
        let hint = why.hint();
        output::warn(&format!("it is used as it is, while it lasts: {}", chain(&why.into())));
        if let Some(hint) = hint {
            output::hint(&hint);
        }
    }
    Ok(alive.resolved)
}

/// Whether a signal has come since it was made: who does one thing after the other begins no other one then.
pub struct Interrupted {
    flag: Arc<AtomicBool>,
    _seen_to: SignalsHandled,
}

impl Interrupted {
    pub fn new() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self { flag, _seen_to: SignalsHandled::new() })
    }

    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

pub fn interrupted() -> anyhow::Error {
    Error::from(LoginError::Ui(UiError::Interrupted)).into()
}

/// Runs something whose end must not be missed: a vendor's answer may hold the only token that still works. A second
/// signal gives it up all the same.
pub fn to_the_end<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let _seen_to = SignalsHandled::new();
    super::finish(async {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let mut hangups = signal(SignalKind::hangup())?;
        let mut signalled = async || {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
                _ = hangups.recv() => {}
            }
        };
        tokio::pin!(work);
        for warned in [false, true] {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = signalled() => if !warned {
                    output::warn("waiting for the vendor's answer, which must not be lost; Ctrl-C again gives it up");
                },
            }
        }
        Err(interrupted())
    })?
}
