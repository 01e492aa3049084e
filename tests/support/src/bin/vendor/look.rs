//! The program's view of the place that it runs in.

use std::io::IsTerminal;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use crate::Failure;

pub fn size() -> String {
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) => format!("{}x{}\n", size.ws_row, size.ws_col),
        Err(_) => "none\n".to_owned(),
    }
}

pub fn isatty() -> String {
    let terminals = [
        ("stdin", std::io::stdin().is_terminal()),
        ("stdout", std::io::stdout().is_terminal()),
        ("stderr", std::io::stderr().is_terminal()),
    ];
    let names: Vec<_> = terminals.into_iter().filter_map(|(name, yes)| yes.then_some(name)).collect();
    match names.is_empty() {
        true => "none\n".to_owned(),
        false => names.join(" ") + "\n",
    }
}

pub fn argv() -> String {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned() + "\n").collect()
}

pub fn env(name: &str) -> String {
    let value = std::env::var_os(name).unwrap_or_else(|| "<unset>".into());
    format!("{}\n", value.to_string_lossy())
}

pub fn id() -> String {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    format!("{}:{}\n", uid.as_raw(), gid.as_raw())
}

pub fn caps() -> Result<String, Failure> {
    let wanted = ["CapEff:", "NoNewPrivs:", "Seccomp:"];
    Ok(std::fs::read_to_string("/proc/self/status")?
        .lines()
        .filter(|line| wanted.iter().any(|name| line.starts_with(name)))
        .map(|line| line.to_owned() + "\n")
        .collect())
}

pub fn mounts() -> Result<String, Failure> {
    Ok(std::fs::read_to_string("/proc/self/mountinfo")?
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| point.to_owned() + "\n")
        .collect())
}

pub fn pwd() -> Result<String, Failure> {
    Ok(format!("{}\n", std::env::current_dir()?.display()))
}

pub fn list(path: &Path) -> Result<String, Failure> {
    let mut names = std::fs::read_dir(path)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned() + "\n"))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    names.sort();
    Ok(names.concat())
}

pub fn connect(address: &str) -> Result<&'static str, Failure> {
    let reached = address
        .to_socket_addrs()?
        .any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok());
    Ok(if reached { "connected\n" } else { "refused\n" })
}
