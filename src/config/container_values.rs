//! Checks of values that a configuration file passes to the engine: environment, hosts, networks.

use std::net::IpAddr;

/// Checks the name of an environment variable: ASCII letters, digits and `_`, not a digit first.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_env_name(name: &str) -> Result<(), String> {
    let ok = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if ok { Ok(()) } else { Err(format!("{name:?} is not the name of an environment variable")) }
}

/// Checks the value of an environment variable. It may have several lines, but no other control characters:
/// engines refuse NUL, and the others would act on a terminal.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_env_value(value: &str) -> Result<(), String> {
    match value.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        Some(c) => Err(format!("the value contains a control character ({c:?})")),
        None => Ok(()),
    }
}

/// Checks an entry of `--add-host`: `NAME:ADDRESS` or `NAME:host-gateway`.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_host(value: &str) -> Result<(), String> {
    let ok = value.split_once(':').is_some_and(|(name, address)| {
        is_plain_name(name) && (address == "host-gateway" || address.parse::<IpAddr>().is_ok())
    });
    if ok { Ok(()) } else { Err(format!("{value:?} is not a host: write NAME:ADDRESS or NAME:host-gateway")) }
}

/// Checks the name of a network, which may be `container:NAME`.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_network(value: &str) -> Result<(), String> {
    let name = value.strip_prefix("container:").unwrap_or(value);
    if is_plain_name(name) { Ok(()) } else { Err(format!("{value:?} is not the name of a network")) }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_name_with_other_characters_is_refused() {
        assert!(check_env_name("A_1").is_ok());
        for bad in ["", "1A", "A B", "A=B", "É"] {
            assert!(check_env_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn env_value_with_control_characters_is_refused() {
        assert!(check_env_value("one\n\ttwo").is_ok());
        for bad in ["a\0", "a\u{1b}[2J", "a\r"] {
            assert!(check_env_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn host_without_name_or_address_is_refused() {
        for good in ["db:10.0.0.1", "db:::1", "host.docker.internal:host-gateway"] {
            assert!(check_host(good).is_ok(), "{good}");
        }
        for bad in ["db", ":10.0.0.1", "db:", "db:evil", "a b:10.0.0.1"] {
            assert!(check_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn network_with_other_characters_is_refused() {
        for good in ["host", "none", "container:db"] {
            assert!(check_network(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "container:", "x:y"] {
            assert!(check_network(bad).is_err(), "{bad}");
        }
    }
}
