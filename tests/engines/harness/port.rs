//! Ports of this machine that only one test at a time can have, in this process or another.

use std::fs::File;

/// Held until dropped.
pub struct Port(#[allow(dead_code, reason = "its lock is what counts")] File);

/// Waits for its turn to use a port.
pub fn take(port: u16) -> Port {
    let file = File::create(format!("/run/authenticate-testbed/port-{port}.lock")).expect("a lock file");
    file.lock().expect("locked");
    Port(file)
}
