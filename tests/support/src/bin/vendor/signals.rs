//! Signals: ignored, or answered with steps.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::signal as numbers;
use signal_hook::iterator::Signals;

use crate::Failure;
use crate::run::Vendor;
use crate::script::Line;

/// A signal that a script can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(i32);

impl FromStr for Signal {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(Self(match name.strip_prefix("SIG").unwrap_or(name) {
            "HUP" => numbers::SIGHUP,
            "INT" => numbers::SIGINT,
            "QUIT" => numbers::SIGQUIT,
            "TERM" => numbers::SIGTERM,
            "USR1" => numbers::SIGUSR1,
            "USR2" => numbers::SIGUSR2,
            "WINCH" => numbers::SIGWINCH,
            _ => return Err(()),
        }))
    }
}

/// The steps that answer each signal.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<Signal, Vec<Line>>>);

impl Answers {
    fn lines<T>(&self, use_lines: impl FnOnce(&mut BTreeMap<Signal, Vec<Line>>) -> T) -> T {
        use_lines(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// From now on the signal does nothing.
pub fn ignore(signal: Signal) -> Result<(), Failure> {
    // A handler that only sets a flag nobody reads: without unsafe code, the nearest thing to SIG_IGN.
    signal_hook::flag::register(signal.0, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// From now on the signal also runs this line.
pub fn answer(vendor: &Arc<Vendor>, signal: Signal, line: Line) -> Result<(), Failure> {
    let known = vendor.answers.lines(|answers| {
        let lines = answers.entry(signal).or_default();
        lines.push(line);
        lines.len() > 1
    });
    if known {
        return Ok(());
    }
    let mut signals = Signals::new([signal.0])?;
    let vendor = Arc::clone(vendor);
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let lines = vendor.answers.lines(|answers| {
                let lines = answers.get(&signal).into_iter().flatten();
                lines.map(Line::clone).collect::<Vec<_>>()
            });
            if let Err(failure) = lines.iter().try_for_each(|line| vendor.run(line)) {
                eprintln!("vendor: {}", failure.message);
                std::process::exit(failure.code.into());
            }
        }
    });
    Ok(())
}
