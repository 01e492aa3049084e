//! What must hold of a descriptor beyond its form.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    capture_map::{CaptureEntry, Convert, FieldMap, FieldPath},
    descriptor::{Descriptor, HOME, Mode, PASSWORD, Refresh, RefreshStrategy, USERNAME},
    run_args::{RunArgs, check_env_name, check_env_value, check_mount_point},
};
pub use crate::config::yaml::Finding;
use crate::{
    config::env_value,
    credential::{Kind, Name},
    net::endpoint::{self, Endpoint},
};

/// No CLI was seen to listen on more than two.
const MAX_PORTS: usize = 8;

/// Everything that does not hold of a whole descriptor (a user's file already merged over a bundled one).
pub fn lint(descriptor: &Descriptor) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.names(descriptor);
    findings.container(descriptor);
    findings.api_key(descriptor);
    for (index, entry) in descriptor.capture.iter().enumerate() {
        findings.capture(index, entry);
    }
    if let Some(path) = &descriptor.home_dir {
        let result = path.strip_prefix("~/").ok_or("does not start with `~/`".to_owned());
        findings.check("home_dir", result.and_then(relative_file));
    }
    for file in descriptor.post_capture_state.keys() {
        findings.check(&format!("post_capture_state.{file}"), relative_file(file));
    }
    findings.endpoints(descriptor);
    findings.0.extend(super::lint_flow::lint(descriptor));
    findings.headers(descriptor);
    findings.fields(descriptor);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), message: message.into() });
    }

    fn check<T>(&mut self, path: &str, result: Result<T, String>) {
        if let Err(message) = result {
            self.add(path, message);
        }
    }

    fn names(&mut self, d: &Descriptor) {
        self.check("name", d.name.parse::<Name>().map_err(|e| e.to_string()));
        for (index, alias) in d.aliases.iter().enumerate() {
            self.check(&format!("aliases[{index}]"), alias.parse::<Name>().map_err(|e| e.to_string()));
        }
        if d.modes.is_empty() {
            self.add("modes", "a provider needs at least one mode");
        }
        if d.modes.iter().collect::<BTreeSet<_>>().len() != d.modes.len() {
            self.add("modes", "a mode is given twice");
        }
        for mode in &d.modes {
            let missing = match mode {
                native if Mode::OAUTH_FLOWS.contains(native) && d.flow(*native).is_none() => {
                    Some(native.as_str())
                }
                Mode::Fields if d.fields.is_empty() => Some("fields"),
                _ => None,
            };
            if let Some(block) = missing {
                self.add("modes", format!("mode {mode} needs the block `{block}`"));
            }
        }
    }

    fn container(&mut self, d: &Descriptor) {
        if d.modes.contains(&Mode::Oauth) {
            let needs = [
                ("host_dir_name", d.host_dir_name.is_none()),
                ("container_mount", d.container_mount.is_none()),
                ("command", d.command.is_empty()),
                ("image", d.image.is_none()),
                ("capture", d.capture.is_empty()),
            ];
            for (field, missing) in needs {
                if missing {
                    self.add("modes", format!("mode oauth needs `{field}`"));
                }
            }
        }
        if let Some(dir) = &d.host_dir_name {
            self.check("host_dir_name", segment(dir));
        }
        if let Some(mount) = &d.container_mount {
            self.check("container_mount", check_mount_point(mount));
            if Path::new(mount).components().count() < 3 {
                self.add(
                    "container_mount",
                    format!("{mount:?} must be below a top directory, as {HOME}/.acme is"),
                );
            }
            if Path::new(HOME).starts_with(mount) {
                self.add(
                    "container_mount",
                    format!("must be below {HOME} or elsewhere: the home itself is in memory"),
                );
            }
        }
        if let Some(image) = &d.image {
            // Engines take no name that ends in a separator, and none with two of them together.
            let (name, separators) = (&image.name, ['.', '_', '-']);
            let ends = !name.ends_with(separators) && !name.contains("..");
            self.check("image.name", segment(name));
            if !ends {
                self.add("image.name", format!("{name:?} is not the name of an image"));
            }
            if let Some(package) = &image.package {
                self.check("image.package", check_package(package));
            }
            if let Some(version) = &image.version {
                let ok = !version.is_empty()
                    && version.chars().all(|c| c.is_ascii_alphanumeric() || ".+-_~:".contains(c));
                if !ok {
                    self.add("image.version", format!("{version:?} is not a version"));
                }
            }
        }
        for (field, words) in [("command", &d.command), ("headless_command", &d.headless_command)] {
            if words.iter().any(|w| w.contains('\0')) || words.first().is_some_and(String::is_empty) {
                self.add(field, "is not a command");
            }
        }
        for (name, value) in &d.env {
            self.check(&format!("env.{name}"), check_env_name(name).and_then(|()| check_env_value(value)));
            self.check(&format!("env.{name}"), env_value::lint(value, |_| Ok(())));
        }
        match (RunArgs::parse(&d.extra_run_args), &d.container_mount) {
            (Err(refused), _) => {
                for refused in refused {
                    self.add(&format!("extra_run_args[{}]", refused.index), refused.message);
                }
            }
            (Ok(args), Some(mount)) => {
                for (path, _) in args.tmpfs.iter().filter(|(path, _)| Path::new(path).starts_with(mount)) {
                    let why = format!("--tmpfs {path}: what the CLI writes to {mount} would be lost");
                    self.add("extra_run_args", why);
                }
            }
            _ => {}
        }
        if d.callback_ports.len() > MAX_PORTS {
            self.add("callback_ports", format!("a login needs no more than {MAX_PORTS} ports"));
        }
        if d.callback_ports.iter().collect::<BTreeSet<_>>().len() != d.callback_ports.len() {
            self.add("callback_ports", "a port is given twice");
        }
        if let Some(index) = d.callback_ports.iter().position(|port| *port == 0) {
            self.add(&format!("callback_ports[{index}]"), "0 is not a port");
        }
    }

    fn api_key(&mut self, d: &Descriptor) {
        for name in d.token.iter().flat_map(|token| token.env_var.iter()) {
            self.check("token.env_var", check_env_name(name));
        }
        let Some(api_key) = &d.api_key else { return };
        for name in api_key.env_var.iter() {
            self.check("api_key.env_var", check_env_name(name));
        }
        if let Some(pattern) = &api_key.pattern
            && let Err(error) = super::pattern::compile(pattern)
        {
            self.add("api_key.pattern", format!("is not a regular expression: {error}"));
        }
        match (&api_key.config_path, &api_key.template) {
            (Some(_), None) => self.add("api_key.config_path", "needs `template`"),
            (None, Some(_)) => self.add("api_key.template", "needs `config_path`"),
            (Some(_), Some(template)) if !template.contains("{key}") => {
                self.add("api_key.template", "does not say where the key goes: `{key}`");
            }
            _ => {}
        }
        if let Some(path) = &api_key.config_path {
            let result = path.strip_prefix("~/").ok_or("does not start with `~/`".to_owned());
            self.check("api_key.config_path", result.and_then(relative_file));
        }
    }

    fn capture(&mut self, index: usize, entry: &CaptureEntry) {
        let place = format!("capture[{index}]");
        self.check(&format!("{place}.file"), relative_file(&entry.file));
        self.check(&format!("{place}.fields"), entry.check().map_err(|error| error.to_string()));
        let fields = &entry.fields;
        let needs: &[(&str, bool)] = match entry.kind {
            Kind::ApiKey => &[("key", fields.key.is_none())],
            Kind::Oauth => &[("access_token", fields.access_token.is_none())],
            Kind::Token => &[("token", fields.token.is_none())],
            Kind::Basic => {
                &[("username", fields.username.is_none()), ("password", fields.password.is_none())]
            }
            Kind::Fields => &[("extra", fields.extra.is_empty())],
        };
        for (field, missing) in needs {
            if *missing {
                self.add(&format!("{place}.fields"), format!("kind {} needs `{field}`", entry.kind));
            }
        }
        for (name, field) in all_fields(fields) {
            let path = format!("{place}.fields.{name}");
            self.check(&path, pointer(&field.path));
            match (field.convert, &field.claim) {
                (Some(Convert::JwtClaim), None) => self.add(&path, "as: jwt_claim needs `claim`"),
                (Some(Convert::JwtClaim), Some(claim)) => self.check(&path, pointer(claim)),
                (_, Some(_)) => self.add(&path, "`claim` goes with as: jwt_claim"),
                (Some(Convert::Key), None) if !field.path.ends_with("/*") => {
                    self.add(&path, "as: key needs a path that ends in `*`");
                }
                _ => {}
            }
        }
        for path in entry.defaults.keys() {
            self.check(&format!("{place}.defaults"), pointer(path));
        }
    }

    fn endpoints(&mut self, d: &Descriptor) {
        let mut urls: Vec<(&str, &str)> = Vec::new();
        urls.extend(d.terms.as_deref().map(|url| ("terms", url)));
        urls.extend(d.api_key.iter().flat_map(|k| k.key_url.as_deref()).map(|url| ("api_key.key_url", url)));
        if let Some(api) = &d.api {
            self.check("api.base_url", env_value::lint(&api.base_url, https));
        }
        // Tokens are sent to these: a descriptor says itself where they go.
        if let Some(revoke) = &d.revoke {
            self.check("revoke.url", endpoint(&revoke.url));
        }
        if let Some(id) = d.revoke.as_ref().and_then(|revoke| revoke.client_id.as_ref()) {
            self.check("revoke.client_id", env_value::lint(id, |_| Ok(())));
        }
        if let Some(refresh) = &d.refresh {
            if let Some(url) = &refresh.token_url {
                self.check("refresh.token_url", endpoint(url));
            }
            self.refresh(refresh);
        }
        for (path, url) in urls {
            self.check(path, https(url));
        }
    }

    fn headers(&mut self, d: &Descriptor) {
        for (name, value) in d.api.iter().flat_map(|api| &api.headers) {
            let place = format!("api.headers.{name}");
            self.check(&place, header_name(name));
            self.check(&place, env_value::lint(value, header_value));
        }
    }

    fn fields(&mut self, d: &Descriptor) {
        if d.modes.contains(&Mode::Fields) && d.modes.contains(&Mode::Basic) {
            self.add("modes", "mode basic is the fields username and password: use one of basic and fields");
        }
        let mut variables = BTreeMap::new();
        for (name, field) in &d.fields {
            let place = format!("fields.{name}");
            self.check(&place, field_name(name));
            if d.modes.contains(&Mode::Basic) && ![USERNAME, PASSWORD].contains(&name.as_str()) {
                self.add(&place, "mode basic has the fields username and password, and no others");
            }
            if field.label.trim().is_empty() {
                self.add(&format!("{place}.label"), "is empty");
            }
            if name == PASSWORD && !field.secret {
                self.add(&format!("{place}.secret"), "a password is secret");
            }
            if let Some(variable) = &field.env_var {
                let place = format!("{place}.env_var");
                self.check(&place, check_env_name(variable));
                if let Some(other) = variables.insert(variable, name) {
                    self.add(&place, format!("{variable} fills the field {other} already"));
                }
            }
        }
    }

    fn refresh(&mut self, refresh: &Refresh) {
        if let Some(id) = &refresh.client_id {
            self.check("refresh.client_id", env_value::lint(id, |_| Ok(())));
        }
        match refresh.strategy {
            RefreshStrategy::Oauth if refresh.token_url.is_none() => {
                self.add("refresh", "strategy oauth needs `token_url`");
            }
            RefreshStrategy::Command if refresh.command.is_empty() => {
                self.add("refresh", "strategy command needs `command`");
            }
            _ => {}
        }
    }
}

fn all_fields(map: &FieldMap) -> impl Iterator<Item = (String, &FieldPath)> {
    let named = [
        ("key", &map.key),
        ("access_token", &map.access_token),
        ("refresh_token", &map.refresh_token),
        ("id_token", &map.id_token),
        ("token", &map.token),
        ("username", &map.username),
        ("password", &map.password),
        ("expires_at", &map.expires_at),
        ("account", &map.account),
        ("host", &map.host),
        ("scopes", &map.scopes),
    ];
    let named = named.into_iter().filter_map(|(name, field)| Some((name.to_owned(), field.as_ref()?)));
    named.chain(map.extra.iter().map(|(name, field)| (format!("extra.{name}"), field)))
}

/// A name that is the same in YAML, on a command line and in JSON.
fn field_name(name: &str) -> Result<(), String> {
    let ok = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if ok {
        Ok(())
    } else {
        Err(format!("{name:?} is not a field's name: use up to 64 of `a-z`, `0-9` and `_`, a letter first"))
    }
}

/// A header's name (RFC 9110 section 5.1) that is not one of those that say who asks, or where the request goes.
fn header_name(name: &str) -> Result<(), String> {
    const OURS: [&str; 8] = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "host",
        "x-api-key",
        "private-token",
        "content-length",
        "transfer-encoding",
    ];
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Err(format!("{name:?} is not the name of a header"));
    }
    match OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        true => Err(format!("{name} is not a header that is the same in every request")),
        false => Ok(()),
    }
}

/// What may stand in a header (RFC 9110 section 5.5).
pub fn header_value(value: &str) -> Result<(), String> {
    let ok = !value.trim().is_empty() && value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if ok { Ok(()) } else { Err("is not the value of a header".to_owned()) }
}

fn segment(name: &str) -> Result<(), String> {
    let ok = !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if ok {
        Ok(())
    } else {
        Err(format!("{name:?} is not one path segment of letters, digits, `.`, `_`, `-`"))
    }
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

fn relative_file(path: &str) -> Result<(), String> {
    let ok = path.split('/').all(|s| !s.is_empty() && s != "." && s != "..") && !path.contains('\0');
    if ok { Ok(()) } else { Err(format!("{path:?} would leave the login's directory")) }
}

fn pointer(path: &str) -> Result<(), String> {
    if path.len() > 1 && path.starts_with('/') {
        Ok(())
    } else {
        Err(format!("{path:?} does not start with `/`"))
    }
}

/// What must hold of an address: https, or loopback.
pub fn https(text: &str) -> Result<(), String> {
    endpoint::https(text).map(drop).map_err(|error| error.to_string())
}

/// What must hold of an address that tokens are sent to.
fn endpoint(text: &str) -> Result<(), String> {
    text.parse::<Endpoint>().map(drop).map_err(|error| error.to_string())
}
