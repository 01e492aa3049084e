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
    status::state::RefreshProblem,
    store::KeySource,
    vendor_files::{CaptureError, Refusal},
};

use super::{
    is_verb,
    target::{spelled, with_placeholders},
};

/// The hint for a row of the store that cannot be read.
pub const UNREADABLE: &str = "restore a backup, or remove the entry: authenticate logout PROJECT PROVIDER; without a valid name, with the others of its set: authenticate logout --all --set SET";

/// The hints for errors in the project of a context.
pub struct Hints<'a>(pub &'a Context);

impl Hints<'_> {
    /// The hint for any error.
    pub fn any(&self, error: &Error) -> Option<String> {
        match error {
            Error::Config(error) => config(error),
            Error::Resolve(error) => self.resolve(error),
            Error::Engine(error) => engine(error),
            Error::Login(error) => self.login(error),
            Error::Refresh(error) => self.refresh(error),
            Error::Logout(error) => self.logout(error),
            Error::Store(error) => self.store(error),
            _ => None,
        }
    }

    fn resolve(&self, error: &ResolveError) -> Option<String> {
        Some(match error {
            ResolveError::SeveralAccounts { provider, profiles } => {
                let profile = profiles.first()?;
                format!("name one, as {provider}:{profile}, or set `profiles` in the project's file")
            }
            ResolveError::SeveralFields { fields, .. } => {
                format!("name one, as --field {}, or take all with --json", fields.first()?)
            }
            ResolveError::NotFound { address, key_optional } => {
                let login = self.login_command(&with_placeholders(address));
                match key_optional {
                    true => format!("it may work without a key; to log in: {login}"),
                    false => format!("log in with: {login}"),
                }
            }
            ResolveError::Incomplete { address, variables } => {
                let login = format!("log in again with: {}", self.login_command(address));
                match variables.as_slice() {
                    [] => login,
                    some => format!("set {}, or {login}", some.join(", ")),
                }
            }
            ResolveError::Expired { address, owner: Owner::Us, .. } => {
                format!("log in again with: {}", self.login_command(address))
            }
            ResolveError::Expired { address, move_source: Some(directory), .. } => format!(
                "an import removed it from the vendor's files and did not finish; finish it with: authenticate import {} --from {} --move",
                self.arguments(address),
                redact::shell_quote(directory)
            ),
            ResolveError::Expired { address, .. } => format!(
                "the vendor's own tool may have refreshed it; import it again with: authenticate import {}",
                self.arguments(address)
            ),
            _ => return None,
        })
    }

    fn refresh(&self, error: &RefreshError) -> Option<String> {
        let address = error.address()?;
        let again = format!("log in again with: {}", self.login_command(address));
        Some(match error {
            RefreshError::OutcomeUnknown { .. } => self.unknown_outcome(address),
            RefreshError::SetAside { .. } => self.set_aside(address),
            RefreshError::RequestRefused { .. } => format!(
                "check the client and the parameters of the request in the provider's descriptor, and refresh again; if they are right, {again}"
            ),
            RefreshError::BackingOff { .. } => format!(
                "try again later, or with `authenticate refresh {} --force` once the cause is mended; if it still fails, {again}",
                self.arguments(address)
            ),
            RefreshError::NotStored { .. } => {
                format!("the new refresh token is lost; when the store can be written again, {again}")
            }
            RefreshError::Container { source, .. } => self.login(source)?,
            RefreshError::Cli { .. } => {
                format!("check that the vendor can be reached, and try again; if it still fails, {again}")
            }
            error if error.needs_login() => again,
            _ => return None,
        })
    }

    /// The hint for tokens that were set aside.
    fn set_aside(&self, address: &Address) -> String {
        let words = self.arguments(address);
        format!(
            "if they are right, take them with: authenticate refresh {words} --accept; if not, log in again with: {}",
            self.login_command(address)
        )
    }

    /// The hint for a login that is not refreshed any more.
    pub fn refresh_problem(&self, address: &Address, problem: &RefreshProblem) -> String {
        match problem {
            RefreshProblem::SetAside(_) => self.set_aside(address),
            RefreshProblem::OutcomeUnknown(_) => self.unknown_outcome(address),
            RefreshProblem::Rejected(_) => format!("log in again with: {}", self.login_command(address)),
        }
    }

    fn unknown_outcome(&self, address: &Address) -> String {
        format!(
            "log in again with: {}; or send the same refresh token again with `authenticate refresh {} --force`, which the vendor may treat as theft",
            self.login_command(address),
            self.arguments(address)
        )
    }

    fn logout(&self, error: &LogoutError) -> Option<String> {
        Some(match error {
            LogoutError::NotStored { others, .. } if others.is_empty() => {
                "list the stored credentials with: authenticate status".to_owned()
            }
            LogoutError::NotStored { others, .. } => {
                let others: Vec<String> = others.iter().map(spelled).collect();
                format!("stored accounts: {}", others.join(", "))
            }
            LogoutError::RevokedNotRemoved { address, .. } => format!(
                "when the store can be written again, remove it with: authenticate logout --no-revoke {}",
                self.arguments(address)
            ),
            LogoutError::Replaced { address } => {
                format!("log out of the new one with: authenticate logout {}", self.arguments(address))
            }
            _ => return None,
        })
    }

    fn login(&self, error: &LoginError) -> Option<String> {
        let hint = match error {
            LoginError::BadKey { forceable: true, .. } => "--force stores it anyway",
            LoginError::Fields(error) => return fields(error),
            LoginError::NoSuchMode { provider, mode, has, needs_client } => {
                let has: Vec<String> = has.iter().map(|mode| format!("--mode {mode}")).collect();
                let own = match needs_client {
                    true => format!(
                        "; or, with an OAuth client of your own, set `{mode}: {{client_id: ..}}` and `modes` in providers/{provider}.yaml"
                    ),
                    false => String::new(),
                };
                return Some(format!("use {}{own}", has.join(" or ")));
            }
            LoginError::NoWayBack { has_device: true } => {
                "use --no-browser and write the address that the browser ends at to standard input, or use --mode device"
            }
            LoginError::NoWayBack { has_device: false } => {
                "use --no-browser and write the address that the browser ends at to standard input"
            }
            LoginError::SubjectExpired { address, .. } => {
                let words = self.arguments(address);
                return Some(format!("refresh it with `authenticate refresh {words}`, or log in again"));
            }
            LoginError::Config(error) => return config(error),
            LoginError::Import(error) => import(error)?,
            LoginError::Engine(error) => return engine(error),
            LoginError::Store(error) => return self.store(error),
            LoginError::NotStored { .. } => {
                "log in again when the store can be written; the vendor may list the lost login until it expires"
            }
            LoginError::NothingCaptured { because: Some(because), .. } => return Some(because.to_string()),
            LoginError::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => {
                "log in from a terminal, where you can paste the redirect"
            }
            LoginError::PortTaken(_) => {
                "stop that program, or log in from a terminal, where you can paste the redirect"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    pub fn store(&self, error: &StoreError) -> Option<String> {
        Some(match error {
            StoreError::Busy { .. } => "try again when that process is done".into(),
            StoreError::Newer { .. } => "update authenticate".into(),
            StoreError::Corrupt { path, .. } => format!(
                "keep a copy, move {0}, {0}-wal and {0}-shm aside, and restore a backup or log in again",
                path.display()
            ),
            StoreError::NoDatabase { .. } => "choose another data directory with AUTHENTICATE_DATA_DIR".into(),
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

fn config(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::UnknownProvider(unknown) => Some(format!("known: {}", unknown.known.join(", "))),
        _ => None,
    }
}

fn engine(error: &EngineError) -> Option<String> {
    let hint = match error {
        EngineError::NotFound { hint: EngineHint::SelectAnother, .. } => {
            "--engine (or the project's file) names the only place that is tried: start the engine there, or name another one"
        }
        EngineError::NotFound { hint: EngineHint::InstallOrSelect, .. } => {
            "install Docker or Podman, or name one with --engine"
        }
        EngineError::NotFound { hint: EngineHint::Text(text), .. } => text,
        EngineError::NoImage { .. } => "pull or build it first; it must be an image that the engine has",
        EngineError::Build { tail, .. } if !tail.is_empty() => {
            return Some(format!("the end of the build's output:\n{tail}"));
        }
        _ => return None,
    };
    Some(hint.to_owned())
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

fn import(error: &ImportError) -> Option<&'static str> {
    match error {
        ImportError::NoPlace { .. } | ImportError::NoDirectory { .. } | ImportError::Nothing { .. } => {
            Some("name the directory with --from DIR")
        }
        ImportError::Files { source: CaptureError::Refused { problem: Refusal::Link, file }, .. } => {
            match Path::new(file).is_absolute() {
                true => Some("use --from with the directory that the link points to"),
                false => Some("use --from with the directory that holds the file itself"),
            }
        }
        ImportError::Files {
            source: CaptureError::Ambiguous { .. } | CaptureError::NotChosen { .. },
            ..
        } => Some(
            "name one with --entry NAME or --host HOST; one of another provider is stored as that provider's",
        ),
        ImportError::Files { source: CaptureError::NoTime { .. }, .. } => {
            Some("log in with the vendor's tool again, so that it writes the file anew")
        }
        ImportError::Expired { stored: Some(_), .. } => {
            Some("import it under another profile, PROVIDER:PROFILE, or log out of the stored one first")
        }
        ImportError::Expired { is_refreshable: true, .. } => {
            Some("use the vendor's tool, so that it refreshes its login, or take the login over with --move")
        }
        ImportError::Expired { .. } => Some("log in with the vendor's tool again, then import the login"),
        ImportError::NotTakenOver { .. } => {
            Some("until then the vendor's tool refreshes it; try again with --move")
        }
        ImportError::Unfinished { .. } => {
            Some("until it is finished, nothing refreshes it; run the same command with --move again")
        }
        ImportError::Replaced { .. } => Some("see the stored credentials with: authenticate status"),
        _ => None,
    }
}
