//! The few container arguments that a descriptor may add, spelled as for the engine's `run` command.

use std::{net::Ipv4Addr, path::Path};

use super::descriptor::HOME;
use crate::config::container_values::{check_env_name, check_env_value, check_host, check_network};

/// Parsed container arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunArgs {
    /// `-p`: published ports, always on the host's loopback interface.
    pub publish: Vec<Publish>,
    /// `-e NAME=VALUE`: environment.
    pub env: Vec<(String, String)>,
    /// `--add-host NAME:ADDRESS`: additional hosts.
    pub add_host: Vec<String>,
    /// `--network NETWORK`: the network.
    pub network: Option<String>,
    /// `--tmpfs PATH[:OPTIONS]`: path and options. The options always contain mode and size.
    pub tmpfs: Vec<(String, String)>,
}

/// A port of the container that is published on the host's loopback interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Port on 127.0.0.1.
    pub host: u16,
    /// Port in the container.
    pub container: u16,
}

const ALLOWED: &str = "only -p, -e, --add-host, --network and --tmpfs may be given";

impl RunArgs {
    /// Parses the arguments.
    ///
    /// # Errors
    /// Every argument that is refused: its index, and the problem as a lower-case fragment.
    pub fn parse(args: &[String]) -> Result<Self, Vec<(usize, String)>> {
        let mut parsed = Self::default();
        let mut refused = Vec::new();
        let mut rest = args.iter().enumerate();
        while let Some((index, arg)) = rest.next() {
            let (flag, attached) = split(arg);
            let known = ["-p", "--publish", "-e", "--env", "--add-host", "--network", "--net", "--tmpfs"];
            if !known.contains(&flag) {
                let message = match flag.starts_with('-') {
                    true => format!("{flag} could break the isolation of the login: {ALLOWED}"),
                    false => format!("{arg:?} does not belong to an argument: {ALLOWED}"),
                };
                refused.push((index, message));
                continue;
            }
            let value = attached.map(str::to_owned).or_else(|| rest.next().map(|(_, value)| value.clone()));
            let result = value.ok_or(format!("{flag} needs a value")).and_then(|v| parsed.take(flag, &v));
            if let Err(message) = result {
                refused.push((index, message));
            }
        }
        if refused.is_empty() { Ok(parsed) } else { Err(refused) }
    }

    fn take(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            "-p" | "--publish" => self.publish.push(publish(value)?),
            "-e" | "--env" => {
                let (name, value) = value.split_once('=').ok_or(format!(
                    "-e {value}: write NAME=VALUE; variables of the host are not inherited"
                ))?;
                check_env_name(name)?;
                check_env_value(value).map_err(|why| format!("-e {name}: {why}"))?;
                self.env.push((name.to_owned(), value.to_owned()));
            }
            "--add-host" => {
                check_host(value)?;
                self.add_host.push(value.to_owned());
            }
            "--network" | "--net" => {
                check_network(value)?;
                self.network = Some(value.to_owned());
            }
            _ => {
                let (path, options) = value.split_once(':').unwrap_or((value, ""));
                check_mount_point(path)?;
                if Path::new(HOME).starts_with(path) {
                    return Err(format!("--tmpfs {path}: the home directory {HOME} is in memory anyway"));
                }
                self.tmpfs.push((path.to_owned(), tmpfs_options(options)?));
            }
        }
        Ok(())
    }
}

/// The largest size of a tmpfs in bytes: the memory limit of a login.
const MAX_TMPFS: u64 = 2 << 30;

/// Parses the options of a tmpfs, `mode` and `size`. Each has a default.
fn tmpfs_options(options: &str) -> Result<String, String> {
    let (mut mode, mut size) = ("1777", "512m");
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("mode", value)) if is_mode(value) => mode = value,
            Some(("size", value)) if bytes(value).is_some_and(|bytes| bytes <= MAX_TMPFS) => size = value,
            _ => {
                return Err(format!(
                    "--tmpfs: {option:?} is not size=SIZE (2g at most) or mode=MODE (such as 0700)"
                ));
            }
        }
    }
    Ok(format!("mode={mode},size={size}"))
}

/// Whether a mode is octal and has neither the setuid nor the setgid bit.
fn is_mode(text: &str) -> bool {
    let octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    octal && (text.len() == 3 || text.starts_with(['0', '1']))
}

/// Parses a size as engines do: `1048576`, `1024k`, `1m`, `2g`.
fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok().filter(|n| *n > 0)?.checked_mul(1 << shift)
}

fn split(arg: &str) -> (&str, Option<&str>) {
    if arg.starts_with("--") {
        return arg.split_once('=').map_or((arg, None), |(flag, value)| (flag, Some(value)));
    }
    match arg.char_indices().nth(2) {
        Some((at, _)) if arg.starts_with('-') => (&arg[..at], Some(&arg[at..])),
        _ => (arg, None),
    }
}

fn publish(value: &str) -> Result<Publish, String> {
    let wrong = || format!("-p {value}: write [127.0.0.1:]HOST_PORT:CONTAINER_PORT");
    let value_without_protocol = value.strip_suffix("/tcp").unwrap_or(value);
    let parts: Vec<&str> = value_without_protocol.split(':').collect();
    let (address, host, container) = match parts[..] {
        [both] => (None, both, both),
        [host, container] => (None, host, container),
        [address, host, container] => (Some(address), host, container),
        _ => return Err(wrong()),
    };
    if address.is_some_and(|a| a.parse() != Ok(Ipv4Addr::LOCALHOST)) {
        return Err(format!("-p {value}: a login listens on 127.0.0.1 only"));
    }
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong);
    Ok(Publish { host: port(host)?, container: port(container)? })
}

/// Checks a mount point: absolute, without `.` and `..`, and outside of the container's system directories.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_mount_point(path: &str) -> Result<(), String> {
    let mut segments = path.split('/');
    let absolute = segments.next() == Some("") && path.len() > 1;
    if !absolute
        || segments.any(|s| s.is_empty() || s == "." || s == "..")
        || path.contains([':', ','])
        || path.contains(char::is_control)
    {
        return Err(format!("{path:?} is not an absolute path without `.`, `..`, `:` or `,`"));
    }
    const SYSTEM: [&str; 13] = [
        "/proc", "/sys", "/dev", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr", "/boot",
        "/run", "/var/run",
    ];
    if SYSTEM.iter().any(|s| path == *s || path.strip_prefix(s).is_some_and(|rest| rest.starts_with('/'))) {
        return Err(format!("{path} is a system directory of the container"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<RunArgs, Vec<(usize, String)>> {
        RunArgs::parse(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn allowed_arguments_are_parsed_in_every_spelling() {
        let args = parse(&[
            "-p",
            "8085:8085",
            "-p127.0.0.1:1:2",
            "-e",
            "A=b=c",
            "--env=X=",
            "--add-host",
            "h:host-gateway",
            "--network=none",
            "--tmpfs",
            "/home/dev/.cache:size=1m",
        ])
        .expect("allowed");
        assert_eq!(
            args.publish,
            [Publish { host: 8085, container: 8085 }, Publish { host: 1, container: 2 }]
        );
        assert_eq!(args.env, [("A".to_owned(), "b=c".to_owned()), ("X".to_owned(), String::new())]);
        assert_eq!(args.add_host, ["h:host-gateway"]);
        assert_eq!(args.network.as_deref(), Some("none"));
        assert_eq!(args.tmpfs, [("/home/dev/.cache".to_owned(), "mode=1777,size=1m".to_owned())]);
    }

    #[test]
    fn arguments_that_weaken_isolation_are_refused() {
        let refused = [
            "--privileged",
            "--cap-add=SYS_ADMIN",
            "--pid=host",
            "-v/:/host",
            "--volume=/:/host",
            "--security-opt=seccomp=unconfined",
            "--mount=type=bind,src=/,dst=/host",
            "--device=/dev/sda",
            "--userns=host",
            "--ipc=host",
            "--uts=host",
            "--user=0",
            "-u0",
            "--cgroupns=host",
            "--env-file=/x",
            "--volumes-from=x",
            "--restart=always",
            "--entrypoint=sh",
            "--name=x",
            "stray",
            "--network=a b",
            "-p0.0.0.0:1:1",
            "-p80:0",
            "-e HOME",
            "--tmpfs=/etc",
            "--tmpfs=/a/../etc",
            "--tmpfs=x",
            "--tmpfs=/x:suid,dev,exec",
            "--tmpfs=/x:size=100g",
            "--tmpfs=/x:size=18446744073709551615g",
            "--tmpfs=/x:size=50%",
            "--tmpfs=/x:mode=4777",
            "--tmpfs=/x:uid=0",
            "--tmpfs=/x:rw,bind",
            "--tmpfs=/home/dev:mode=0000",
            "--tmpfs=/home",
            "--tmpfs=/x\n",
            "--tmpfs=/x\u{1b}:size=1m",
            "--env=A=\0",
            "--env=A=\u{1b}[2J",
            "--add-host=h:evil",
            "-é",
            "",
        ];
        for arg in refused {
            assert!(parse(&[arg]).is_err(), "{arg}");
        }
        assert_eq!(parse(&["--privileged", "-p", "x", "--pid", "host"]).expect_err("refused").len(), 4);
        assert!(parse(&["--network"]).is_err());
    }
}
