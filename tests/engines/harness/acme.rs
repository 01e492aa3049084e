//! A provider whose CLI does what a script says.

use serde_json::json;

use super::{Home, Place, programs};

/// Where the vendor's files are, inside.
pub const MOUNT: &str = "/home/dev/.config/acme";
/// The step that writes a whole credential.
pub const LOG_IN: &str = r#"write auth.json {"a":"AAA","r":"RRR"}"#;

/// A home with the provider `acme`, and the project `p` in which its CLI runs these steps.
pub fn acme(place: Place, steps: &[&str]) -> Home {
    let home = Home::on(place);
    describe(&home, json!({}));
    script(&home, steps);
    home
}

/// Describes the provider, with some fields changed.
pub fn describe(home: &Home, changes: serde_json::Value) {
    let mut descriptor = json!({
        "name": "acme",
        "label": "Acme",
        "modes": ["oauth"],
        "host_dir_name": "_acme",
        "container_mount": MOUNT,
        "command": ["vendor"],
        "image": {"name": "acme"},
        "env": {"VENDOR_HOME": MOUNT},
        "capture": [{
            "file": "auth.json",
            "format": "json",
            "kind": "oauth",
            "fields": {"access_token": "/a", "refresh_token": "/r"},
        }],
    });
    for (name, value) in changes.as_object().expect("fields") {
        descriptor[name] = value.clone();
    }
    home.provider("acme", descriptor);
}

/// Gives the CLI another script.
pub fn script(home: &Home, steps: &[&str]) {
    let image = programs::image(home.place);
    let steps = steps.join("\n");
    home.project("p", json!({"image": image, "network": "none", "env": {"VENDOR_STEPS": steps}}));
}
