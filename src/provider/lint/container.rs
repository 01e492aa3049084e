//! Rules for the login in a container.

use std::path::Path;

use super::{form, has_duplicate};
use crate::{
    config::{
        container_values::{check_env_name, check_env_value},
        env_value,
        yaml::Findings,
    },
    provider::{
        descriptor::{Descriptor, HOME, Image, Mode},
        run_args::{RunArgs, check_mount_point},
    },
};

/// The largest number of callback ports. No CLI was seen to listen on more than two.
const MAX_PORTS: usize = 8;

impl Findings {
    pub(super) fn container(&mut self, d: &Descriptor) {
        if d.modes.contains(&Mode::Oauth) {
            self.required(d);
        }
        self.check_given("host_dir_name", &d.host_dir_name, form::segment);
        if let Some(mount) = &d.container_mount {
            self.mount(mount);
        }
        if let Some(image) = &d.image {
            self.image(image);
        }
        for (field, words) in [("command", &d.command), ("headless_command", &d.headless_command)] {
            if words.iter().any(|w| w.contains('\0')) || words.first().is_some_and(String::is_empty) {
                self.add(field, "is not a command");
            }
        }
        for (name, value) in &d.env {
            let place = format!("env.{name}");
            self.check(&place, check_env_name(name).and_then(|()| check_env_value(value)));
            self.check(&place, env_value::check_variable(value));
        }
        self.run_args(d);
        self.ports(&d.callback_ports);
    }

    fn required(&mut self, d: &Descriptor) {
        let required = [
            ("host_dir_name", d.host_dir_name.is_none()),
            ("container_mount", d.container_mount.is_none()),
            ("command", d.command.is_empty()),
            ("image", d.image.is_none()),
            ("capture", d.capture.is_empty()),
        ];
        for (field, _) in required.into_iter().filter(|(_, missing)| *missing) {
            self.add("modes", format!("mode oauth needs `{field}`"));
        }
    }

    fn mount(&mut self, mount: &str) {
        self.check("container_mount", check_mount_point(mount));
        if Path::new(mount).components().count() < 3 {
            let message = format!("{mount:?} must be at least two directories deep, such as {HOME}/.acme");
            self.add("container_mount", message);
        }
        if Path::new(HOME).starts_with(mount) {
            let message =
                format!("must be below {HOME} or elsewhere: the home directory itself is in memory");
            self.add("container_mount", message);
        }
    }

    fn image(&mut self, image: &Image) {
        self.check("image.name", form::segment(&image.name));
        // Engines refuse a name that ends in a separator or has two dots together.
        if image.name.ends_with(['.', '_', '-']) || image.name.contains("..") {
            self.add("image.name", format!("{:?} is not the name of an image", image.name));
        }
        self.check_given("image.package", &image.package, check_package);
        self.check_given("image.version", &image.version, check_version);
    }

    fn run_args(&mut self, d: &Descriptor) {
        let args = match RunArgs::parse(&d.extra_run_args) {
            Ok(args) => args,
            Err(refused) => {
                for (index, message) in refused {
                    self.add(&format!("extra_run_args[{index}]"), message);
                }
                return;
            }
        };
        let Some(mount) = &d.container_mount else { return };
        for (path, _) in args.tmpfs.iter().filter(|(path, _)| Path::new(path).starts_with(mount)) {
            let message = format!("--tmpfs {path}: files that the CLI writes to {mount} would be lost");
            self.add("extra_run_args", message);
        }
    }

    fn ports(&mut self, ports: &[u16]) {
        if ports.len() > MAX_PORTS {
            self.add("callback_ports", format!("a login has at most {MAX_PORTS} ports"));
        }
        if has_duplicate(ports) {
            self.add("callback_ports", "a port is given twice");
        }
        if let Some(index) = ports.iter().position(|port| *port == 0) {
            self.add(&format!("callback_ports[{index}]"), "0 is not a port");
        }
    }
}

fn check_version(version: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+-_~:".contains(c);
    let ok = !version.is_empty() && version.chars().all(plain);
    if ok { Ok(()) } else { Err(format!("{version:?} is not a version")) }
}

/// Accepts the names of npm and Debian packages, and nothing that a shell, npm or apt would read as more than a name.
fn check_package(name: &str) -> Result<(), String> {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
            && !part.ends_with(['.', '_', '-'])
    };
    let ok = match name.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(scoped) => scoped.is_some_and(|(scope, name)| is_name(scope) && is_name(name)),
        None => is_name(name),
    };
    // npm's limit.
    if ok && name.len() <= 214 {
        Ok(())
    } else {
        Err(format!("{name:?} is not the name of an npm or Debian package, as in `@acme/cli` or `acme`"))
    }
}
