//! Credentials that are renewed before they are used.

use authenticate::{
    Error,
    lifecycle::{
        alive,
        resolve::{Request, Resolution, Resolved},
    },
    login::LoginError,
    paths::Paths,
    ui::UiError,
};
use tokio::signal::unix::{SignalKind, signal};

use super::{output, terminal::TerminalUi};

/// The credential, renewed if that is due. One that is not needs no runtime and no network.
pub fn ready(paths: &Paths, request: &Request, found: Resolution) -> anyhow::Result<Resolved> {
    let stale = match found {
        Resolution::Ready(resolved) => return Ok(resolved),
        Resolution::Stale(stale) => stale,
    };
    let ui = TerminalUi::new().data_on_stdout(true);
    let alive = to_the_end(alive::keep(paths, None, request, stale, &ui))??;
    if let Some(why) = alive.not_renewed {
        output::warn(&format!("it is used as it is, while it lasts: {:#}", anyhow::Error::from(why)));
    }
    Ok(alive.resolved)
}

/// Runs something whose end must not be missed: a vendor's answer may hold the only token that still works. A second
/// signal gives it up all the same.
pub fn to_the_end<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    super::runtime()?.block_on(async {
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
        Err(Error::from(LoginError::Ui(UiError::Interrupted)).into())
    })
}
