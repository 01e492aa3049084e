//! Whether an engine labels containers for SELinux, where it does not say so as Docker does.

use serde::Deserialize;

use super::{Product, raw};

/// From this version on, Podman lists it among the security options of `/info`, too.
const LISTED_SINCE: u32 = 5;

/// What we read of Podman's own `info`.
#[derive(Deserialize)]
struct Info {
    host: Host,
}

#[derive(Deserialize)]
struct Host {
    security: Security,
}

#[derive(Deserialize)]
struct Security {
    #[serde(rename = "selinuxEnabled")]
    selinux: bool,
}

/// Asks a Podman that says so only in its own API, whose paths have a version. Observed with Podman 4.3.1, and not needed
/// with 5.4.2. One that does not answer that does not label.
pub(super) async fn selinux_labels(url: &str, product: Product, version: &str) -> bool {
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    match (product, major) {
        (Product::Podman, Some(major)) if major < LISTED_SINCE => {
            let info = raw::get::<Info>(url, &format!("/v{major}.0.0/libpod/info")).await;
            info.is_ok_and(|info| info.host.security.selinux)
        }
        _ => false,
    }
}
