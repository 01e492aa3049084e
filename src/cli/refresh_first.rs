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

use super::{failure::Failure, output, signals::SignalsHandled};

/// Finds a credential, and refreshes it first if it is due. Otherwise neither a runtime nor the network is used.
pub fn find_fresh(context: &Context, request: &Request) -> anyhow::Result<Resolved> {
    let expiring = match resolve(context, request)? {
        Lookup::Ready(resolved) => return Ok(resolved),
        Lookup::Expiring(expiring) => expiring,
    };
    let fresh = to_the_end(ensure_fresh(context, request, expiring))?;
    if let Some(error) = fresh.not_refreshed {
        let Failure { message, hint, .. } = Failure::of(error.into(), Some(context));
        output::warn(&format!("could not refresh; using the current token until it expires: {message}"));
        hint.iter().for_each(|hint| output::hint(hint));
    }
    Ok(fresh.resolved)
}

/// A flag that a signal sets, after which no further step begins.
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

/// Runs work to its end despite a signal, because a vendor's answer may hold the only token that still works. A second
/// signal cancels it.
pub fn to_the_end<T, E>(work: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    anyhow::Error: From<E>,
{
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
                done = &mut work => return Ok(done?),
                () = signalled() => if !warned {
                    output::warn("waiting for the vendor's answer, which must not be lost; press Ctrl-C again to abandon it");
                },
            }
        }
        Err(interrupted())
    })?
}
