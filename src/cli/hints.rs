//! Hints: the next command to type after an error.

use std::path::Path;

use authenticate::{
    ConfigError, EngineError, Error, FieldsError, LoginError, LogoutError, Owner, RefreshError, ResolveError,
    StoreError,
    context::Context,
    credential::Address,
    engine::EngineHint,
    login::{
        import::ImportError,
        loopback::{PortError, PortUnavailable},
    },
    redact,
    store::KeySource,
    vendor_files::{CaptureError, Refusal},
};

use super::{
    is_verb,
    target::{spelled, with_placeholders},
};

/// The hint for a row of the store that cannot be read.
pub const UNREADABLE: &str =
    "remove an entry that cannot be read with `authenticate logout`, or restore a backup";

/// The hints for errors in the project of a context.
pub struct Hints<'a>(pub &'a Context);

impl Hints<'_> {
    /// The hint for any error.
    pub fn any(&self, error: &Error) -> Option<String> {
        match error {
            Error::Config(error) => self.config(error),
            Error::Resolve(error) => self.resolve(error),
            Error::Engine(error) => self.engine(error),
            Error::Login(error) => self.login(error),
            Error::Refresh(error) => self.refresh(error),
            Error::Logout(error) => self.logout(error),
            Error::Store(error) => self.store(error),
            _ => None,
        }
    }

    pub fn config(&self, error: &ConfigError) -> Option<String> {
        match error {
            ConfigError::UnknownProvider(unknown) => Some(format!("known: {}", unknown.known.join(", "))),
            _ => None,
        }
    }

    pub fn resolve(&self, error: &ResolveError) -> Option<String> {
        match error {
            ResolveError::SeveralAccounts { provider, profiles } => profiles.first().map(|profile| {
                format!("name one, as {provider}:{profile}, or set `profiles` in the project's file")
            }),
            ResolveError::SeveralFields { fields, .. } => {
                fields.first().map(|field| format!("name one, as --field {field}, or take all with --json"))
            }
            ResolveError::NotFound { address, key_optional } => {
                let login = self.login_command(&with_placeholders(address));
                Some(match key_optional {
                    true => format!("it may work without a key; to log in: {login}"),
                    false => format!("log in with: {login}"),
                })
            }
            ResolveError::Incomplete { address, variables } => {
                let login = format!("log in again with: {}", self.login_command(address));
                Some(match variables.as_slice() {
                    [] => login,
                    some => format!("set {}, or {login}", some.join(", ")),
                })
            }
            ResolveError::Expired { address, owner: Owner::Us, .. } => {
                Some(format!("log in again with: {}", self.login_command(address)))
            }
            ResolveError::Expired { address, move_source: Some(directory), .. } => Some(format!(
                "an import removed it from the vendor's files and did not finish; finish it with: authenticate import {} --from {} --move",
                self.arguments(address),
                redact::shell_quote(directory)
            )),
            ResolveError::Expired { address, .. } => Some(format!(
                "the vendor's own tool may have refreshed it; import it again with: authenticate import {}",
                self.arguments(address)
            )),
            _ => None,
        }
    }

    pub fn refresh(&self, error: &RefreshError) -> Option<String> {
        let again = match error.address() {
            Some(address) => format!("log in again with: {}", self.login_command(address)),
            None => "log in again".to_owned(),
        };
        match error {
            RefreshError::OutcomeUnknown { .. } => Some(format!(
                "{again}; or send the same refresh token again with `authenticate refresh --force`, which the vendor may treat as theft"
            )),
            RefreshError::NotStored { .. } => {
                Some(format!("the new refresh token is lost; when the store can be written again, {again}"))
            }
            RefreshError::Container { source, .. } => self.login(source),
            RefreshError::Cli { .. } => Some(format!(
                "check that the vendor can be reached, and try again; if it still fails, {again}"
            )),
            error if error.needs_login() => Some(again),
            _ => None,
        }
    }

    pub fn logout(&self, error: &LogoutError) -> Option<String> {
        let text = match error {
            LogoutError::NotStored { others, .. } if others.is_empty() => {
                "list the stored credentials with: authenticate status".to_owned()
            }
            LogoutError::NotStored { others, .. } => {
                let others: Vec<String> = others.iter().map(spelled).collect();
                format!("stored accounts: {}", others.join(", "))
            }
            LogoutError::RevokedNotRemoved { .. } => {
                "when the store can be written again, remove it with: authenticate logout --no-revoke"
                    .to_owned()
            }
            _ => return None,
        };
        Some(text)
    }

    pub fn login(&self, error: &LoginError) -> Option<String> {
        match error {
            LoginError::BadKey { forceable: true, .. } => Some("--force stores it anyway".into()),
            LoginError::Fields(error) => fields(error),
            LoginError::NoSuchMode { provider, mode, has, needs_client } => {
                let has: Vec<String> = has.iter().map(|mode| format!("--mode {mode}")).collect();
                let own = match needs_client {
                    true => format!(
                        "; or, with an OAuth client of your own, set `{mode}: {{client_id: ..}}` and `modes` in providers/{provider}.yaml"
                    ),
                    false => String::new(),
                };
                Some(format!("use {}{own}", has.join(" or ")))
            }
            LoginError::NoWayBack { has_device } => {
                let device = if *has_device { ", or use --mode device" } else { "" };
                Some(format!(
                    "use --no-browser and write the address that the browser ends at to standard input{device}"
                ))
            }
            LoginError::SubjectExpired { address, .. } => {
                Some(format!("refresh it with `authenticate refresh {}`, or log in again", self.arguments(address)))
            }
            LoginError::Config(error) => self.config(error),
            LoginError::Import(error) => import(error),
            LoginError::Engine(error) => self.engine(error),
            LoginError::Store(error) => self.store(error),
            LoginError::NotStored { .. } => Some(
                "log in again when the store can be written; the vendor may list the lost login until it expires"
                    .into(),
            ),
            LoginError::NothingCaptured { because: Some(because), .. } => Some(because.to_string()),
            LoginError::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => {
                Some("log in from a terminal, where you can paste the redirect".into())
            }
            LoginError::PortTaken(_) => {
                Some("stop that program, or log in from a terminal, where you can paste the redirect".into())
            }
            _ => None,
        }
    }

    pub fn engine(&self, error: &EngineError) -> Option<String> {
        match error {
            EngineError::NotFound { hint: EngineHint::SelectAnother, .. } => Some(
                "--engine (or the project's file) names the only place that is tried: start the engine there, or name another one"
                    .into(),
            ),
            EngineError::NotFound { hint: EngineHint::InstallOrSelect, .. } => {
                Some("install Docker or Podman, or name one with --engine".into())
            }
            EngineError::NotFound { hint: EngineHint::Text(text), .. } => Some(text.clone()),
            EngineError::NoImage { .. } => {
                Some("pull or build it first; it must be an image that the engine has".into())
            }
            EngineError::Build { tail, .. } if !tail.is_empty() => {
                Some(format!("the end of the build's output:\n{tail}"))
            }
            _ => None,
        }
    }

    pub fn store(&self, error: &StoreError) -> Option<String> {
        Some(match error {
            StoreError::Locked { .. } | StoreError::Busy { .. } => "try again when that process is done".into(),
            StoreError::Newer { .. } => "update authenticate".into(),
            StoreError::Corrupt { path, .. } => format!(
                "keep a copy, move {0}, {0}-wal and {0}-shm aside, and restore a backup or log in again",
                path.display()
            ),
            StoreError::Foreign { .. } => "move it away, or choose another data directory".into(),
            StoreError::Unreadable(_) => UNREADABLE.into(),
            StoreError::NotOpened { address, .. } => format!(
                "restore a backup, or log in again to replace it, with: {}",
                self.login_command(address)
            ),
            StoreError::ReadBack { address, .. } => {
                format!("check the disk, then log in again with: {}", self.login_command(address))
            }
            StoreError::PassphraseNeeded { .. } => {
                "run `authenticate store unlock` at a terminal, or name a file that holds the passphrase with AUTHENTICATE_PASSPHRASE_FILE".into()
            }
            StoreError::NoKernelKeyring { .. } => {
                "name a file that holds the passphrase with AUTHENTICATE_PASSPHRASE_FILE".into()
            }
            StoreError::NewPassphraseNeeded { .. } => {
                "give it with --passphrase-file FILE or --passphrase-stdin, or type it at a terminal".into()
            }
            StoreError::BackupExists { .. } => "name another file, or use --force".into(),
            StoreError::KeySource { source_name, replaces: true, .. }
                if *source_name == KeySource::Keyring.as_str() =>
            {
                "choose another source with: --source key_file".into()
            }
            _ => return None,
        })
    }

    /// The login command for an address that has a credential.
    fn login_command(&self, address: &Address) -> String {
        let verb = if is_verb(self.0.project_name().as_str()) { "login " } else { "" };
        format!("authenticate {verb}{}", self.arguments(address))
    }

    /// The arguments that name a credential in the project.
    pub fn arguments(&self, address: &Address) -> String {
        let project = redact::redact_or(self.0.project_name().as_str(), "PROJECT");
        let set = match self.0.set(None) {
            Ok(set) if set == address.set => String::new(),
            _ => format!(" --set {}", address.set),
        };
        format!("{project} {}{set}", spelled(address))
    }
}

fn fields(error: &FieldsError) -> Option<String> {
    let field = match error {
        FieldsError::Missing { fields, .. } => fields.first()?,
        FieldsError::Visible { field } => field,
        _ => return None,
    };
    Some(format!(
        "use --field {field}=- for standard input, --field-file {field}=FILE, --field-env {field}=VAR, or \
         --fields-json-stdin for all at once"
    ))
}

fn import(error: &ImportError) -> Option<String> {
    let text = match error {
        ImportError::NoPlace { .. } | ImportError::NoDirectory { .. } | ImportError::Nothing { .. } => {
            "name the directory with --from DIR"
        }
        ImportError::Files { source: CaptureError::Refused { problem: Refusal::Link, file }, .. } => {
            match Path::new(file).is_absolute() {
                true => "use --from with the directory that the link points to",
                false => "use --from with the directory that holds the file itself",
            }
        }
        ImportError::NotTakenOver { .. } => {
            "until then the vendor's tool refreshes it; try again with --move"
        }
        ImportError::Unfinished { .. } => {
            "until it is finished, nothing refreshes it; run the same command with --move again"
        }
        ImportError::Replaced { .. } => "see the stored credentials with: authenticate status",
        _ => return None,
    };
    Some(text.to_owned())
}
