//! Checks of a single value. Each error is the problem, as a lower-case fragment.

use crate::{config::container_values::check_env_name, net::endpoint, provider::capture_map::FilePath};

/// Headers that a descriptor may not fix: they authorise the request, or say where it goes and how long it
/// is.
const RESERVED_HEADERS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "x-api-key",
    "private-token",
    "content-length",
    "transfer-encoding",
];

/// The longest name of a field, a directory or an image.
const MAX_NAME: usize = 64;

/// Checks the name of a field, which is spelled alike in YAML, on a command line and in JSON.
pub(super) fn field_name(name: &str) -> Result<(), String> {
    let ok = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let message = || {
        format!(
            "{name:?} is not a field's name: use up to {MAX_NAME} of `a-z`, `0-9` and `_`, a letter first"
        )
    };
    ok.then_some(()).ok_or_else(message)
}

/// Checks the name of a header (RFC 9110 section 5.1) that is the same in every request.
pub(super) fn header_name(name: &str) -> Result<(), String> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Err(format!("{name:?} is not the name of a header"));
    }
    match RESERVED_HEADERS.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        true => Err(format!("{name} is not a header that is the same in every request")),
        false => Ok(()),
    }
}

/// Checks the value of a header (RFC 9110 section 5.5).
///
/// # Errors
/// The problem, without the value.
pub fn header_value(value: &str) -> Result<(), String> {
    let ok = !value.trim().is_empty() && value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if ok { Ok(()) } else { Err("is not the value of a header".to_owned()) }
}

/// Checks a name that becomes one segment of a path.
pub(super) fn segment(name: &str) -> Result<(), String> {
    let ok = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let message = || format!("{name:?} is not one path segment of letters, digits, `.`, `_`, `-`");
    ok.then_some(()).ok_or_else(message)
}

/// Checks the path of a file below the login's directory.
pub(super) fn relative_file(path: &str) -> Result<(), String> {
    FilePath::parse(path).map(drop).map_err(|_| format!("{path:?} would leave the login's directory"))
}

/// Checks a path below the home directory, `~/..`.
pub(super) fn below_home(path: &str) -> Result<(), String> {
    path.strip_prefix("~/").ok_or_else(|| "does not start with `~/`".to_owned()).and_then(relative_file)
}

/// Checks a place of a tool's directory: `$NAME`, a path below that, or one below the home.
pub(super) fn home_place(place: &str) -> Result<(), String> {
    let Some(rest) = place.strip_prefix('$') else { return below_home(place) };
    let (name, below) = rest.split_once('/').map_or((rest, None), |(name, below)| (name, Some(below)));
    check_env_name(name)?;
    below.map_or(Ok(()), relative_file)
}

/// Checks that a URL is https, or http on the loopback interface.
///
/// # Errors
/// The problem, without a user or password.
pub fn https(text: &str) -> Result<(), String> {
    endpoint::https(text).map(drop).map_err(|error| error.to_string())
}
