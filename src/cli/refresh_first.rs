//! Credentials that are refreshed before they are used.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use authenticate::{
    LoginError, UiError,
    context::Context,
    resolve::{Lookup, Request, Resolved, ensure_fresh, resolve},
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    failure::{chain, hint},
    output,
    signals::SignalsHandled,
    terminal::TerminalUi,
};

/// Finds a credential, and refreshes it first if it is due. One that is not due needs no runtime and no network.
pub fn find_fresh(context: &Context, request: &Request) -> anyhow::Result<Resolved> {
    let expiring = match resolve(context, request)? {
        Lookup::Ready(resolved) => return Ok(resolved),
        Lookup::Expiring(expiring) => expiring,
    };
    let ui = TerminalUi::new().data_on_stdout(true);
    let context = context.clone().with_ui(Arc::new(ui));
    let fresh = to_the_end(ensure_fresh(&context, request, expiring))??;
    if let Some(why) = fresh.not_refreshed {
        let why = why.into();
        output::warn(&format!(
            "could not refresh; using the current token until it expires: {}",
            chain(&why)
        ));
        if let Some(hint) = hint(&why, Some(&context)) {
            output::hint(&hint);
        }
    }
    Ok(fresh.resolved)
}

/// Whether a signal has come since this was made: then no further step begins.
pub struct Interrupted {
    flag: Arc<AtomicBool>,
    _handled: SignalsHandled,
}

impl Interrupted {
    pub fn new() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self { flag, _handled: SignalsHandled::new() })
    }

    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

pub fn interrupted() -> anyhow::Error {
    LoginError::Ui(UiError::Interrupted).into()
}

/// Runs work whose end must not be missed: a vendor's answer may hold the only token that still works. A second signal gives
/// it up all the same.
pub fn to_the_end<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let _handled = SignalsHandled::new();
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
