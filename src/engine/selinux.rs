//! `SELinux` labelling by Podman versions that do not report it in `/info`.

use serde::Deserialize;

use super::raw;

/// The first major version of Podman that lists `SELinux` among the security options of `/info`.
const LISTED_SINCE: u32 = 5;

/// The fields of Podman's own `info` that are used.
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

/// Asks a Podman of this `version` whether it labels containers, through Podman's own API, whose paths contain the
/// version. `false` for newer versions and without an answer. Seen with Podman 4.3.1; 5.4.2 lists it in `/info`.
pub(super) async fn podman_labels_containers(url: &str, version: &str) -> bool {
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major) if major < LISTED_SINCE => {
            let info = raw::get::<Info>(url, &format!("/v{major}.0.0/libpod/info")).await;
            info.is_ok_and(|info| info.host.security.selinux)
        }
        _ => false,
    }
}
