//! A login in which we speak to the authorization server ourselves.

pub mod account;
pub mod browser;
pub mod client_credentials;
pub mod device;
pub mod redirect;
pub mod redirect_server;
pub mod regrant;
pub mod token_exchange;

use std::time::Duration;

use self::redirect_server::RedirectServer;
use super::{CancelToken, LoginError, LoginOptions, cli, direct::api_key, record::LoginLock, store};
use crate::{
    config::{Paths, Project},
    credential::{Address, Credential, Metadata, OAuth, Record, Secret},
    oauth::{Client, Http, Origin, Server, Tokens},
    provider::{Mode, Provider, flow::Flow},
    store::{Action, SharedStore},
    ui::{Event, Ui, UiError},
};

/// How long a vendor may take to say whose a token is.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// All that a native login depends on.
pub struct OAuthLogin<'a> {
    /// The program's directories.
    pub paths: &'a Paths,
    /// What is logged in to.
    pub provider: &'a Provider,
    /// For which project: its certificates.
    pub project: &'a Project,
    /// Where the credential goes.
    pub address: &'a Address,
    /// One of [`Mode::OAUTH_FLOWS`], which the provider has.
    pub mode: Mode,
    /// How.
    pub how: &'a LoginOptions,
    /// Where it goes, in place of the database of the data directory.
    pub store: Option<&'a SharedStore>,
    /// Whom to ask and show.
    pub ui: &'a dyn Ui,
}

/// What the server gave, and the browser that still waits to hear how it ends.
pub(super) struct Grant {
    pub tokens: Tokens,
    pub page: Option<RedirectServer>,
}

/// What is known before anything is sent.
struct Preparation {
    client: Client,
    subject: Option<Secret>,
    way_back: Option<browser::RedirectTarget>,
}

impl OAuthLogin<'_> {
    /// Logs in, stores what the server gave and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run(&self, interrupt: &mut CancelToken) -> Result<Record, LoginError> {
        let flow = self.flow()?;
        let bundle = match &self.how.ca_bundle {
            Some(path) => Some(path.clone()),
            None => self.project.ca_bundle_file()?,
        };
        let _lock = LoginLock::take(self.paths, self.address)?;
        // Opened before the server gives anything out: what cannot be stored must not be asked for.
        let store = SharedStore::open(self.store, self.paths)?;
        store.lock().prepare()?;
        store.lock().record_as(Action::Login);
        let ready = self.prepare(flow, &store).await?;
        let http = Http::new(bundle.as_deref())?;
        http.ignored_config().iter().for_each(|why| self.ui.show(Event::IgnoredConfig(why)));
        let limit = self.how.timeout.unwrap_or(cli::DEFAULT_LIMIT);
        let (origin, granted) = tokio::select! {
            granted = tokio::time::timeout(limit, self.grant(&http, flow, ready)) => {
                granted.map_err(|_| LoginError::TooLong(limit))??
            }
            () = interrupt.cancelled() => return Err(UiError::Interrupted.into()),
        };
        let Grant { tokens, page } = granted;
        let kept = self.store_grant(&store, flow, &origin, tokens, interrupt).await;
        if let Some(page) = page {
            page.finish(kept.is_ok()).await;
        }
        let mut record = kept?;
        if record.metadata.account.is_none() {
            record.metadata.account = self.label(&http, &store, &record, interrupt).await;
        }
        Ok(record)
    }

    /// The account's name is asked for when the tokens are safe: a login without one is a login.
    async fn label(
        &self,
        http: &Http,
        store: &SharedStore,
        record: &Record,
        interrupt: &mut CancelToken,
    ) -> Option<String> {
        let asked = account::from_userinfo(http, self.provider, record.credential.usable()?);
        let asked = tokio::select! {
            asked = tokio::time::timeout(ACCOUNT_TIMEOUT, asked) => asked,
            () = interrupt.cancelled() => return None,
        };
        let why = match asked {
            Ok(Ok(name)) => {
                let name = name?;
                match store.lock().name_account(self.address, record.version, &name) {
                    Ok(()) => return Some(name),
                    Err(error) => error.to_string(),
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.ui.show(Event::Warning(&format!("the account's name is not known: {why}")));
        None
    }

    fn flow(&self) -> Result<&Flow, LoginError> {
        self.provider.flow(self.mode).ok_or_else(|| LoginError::NotImplemented(self.mode))
    }

    /// Whatever has to be there before anything is attempted.
    async fn prepare(&self, flow: &Flow, store: &SharedStore) -> Result<Preparation, LoginError> {
        let client = Client::of(flow, self.mode)?;
        let subject = match self.mode {
            Mode::TokenExchange => {
                Some(token_exchange::subject(flow, self.address, self.paths, &store.lock())?)
            }
            _ => None,
        };
        let way_back = match self.mode {
            Mode::Browser => Some(browser::RedirectTarget::open(self, flow).await?),
            _ => None,
        };
        Ok(Preparation { client, subject, way_back })
    }

    async fn grant(
        &self,
        http: &Http,
        flow: &Flow,
        ready: Preparation,
    ) -> Result<(Origin, Grant), LoginError> {
        let server = Server::find(http, flow, self.mode, ready.client).await?;
        let origin = Origin::new(self.mode, flow, &server);
        let granted = match (self.mode, ready.way_back, ready.subject) {
            (Mode::Browser, Some(way_back), _) => browser::grant(self, http, flow, &server, way_back).await?,
            (Mode::TokenExchange, _, Some(subject)) => {
                let tokens = token_exchange::grant(http, flow, &server.token, &subject).await?;
                Grant { tokens, page: None }
            }
            (Mode::ClientCredentials, ..) => {
                let tokens = client_credentials::grant(http, flow, &server.token).await?;
                Grant { tokens, page: None }
            }
            _ => Grant { tokens: device::grant(self.ui, http, flow, &server).await?, page: None },
        };
        Ok((origin, granted))
    }

    async fn store_grant(
        &self,
        store: &SharedStore,
        flow: &Flow,
        origin: &Origin,
        tokens: Tokens,
        interrupt: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let account = account::from_reply(self.provider, &tokens);
        if flow.api_key_field.is_some() {
            let key = self.store_key(&tokens.access_token)?;
            let metadata = Metadata { account, ..Metadata::default() };
            let key = Credential::ApiKey { key };
            return store::store_with_retry(store, self.address, &key, &metadata, self.ui, interrupt).await;
        }
        let asked_for = Metadata { account, scopes: flow.scopes.clone(), ..Metadata::default() };
        let metadata = tokens.described(asked_for);
        let mut extra = tokens.extra;
        origin.keep(&mut extra);
        let oauth = OAuth {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            extra,
        };
        let oauth = Credential::OAuth(oauth);
        store::store_with_retry(store, self.address, &oauth, &metadata, self.ui, interrupt).await
    }

    /// A key that the vendor itself has given is one, whatever the descriptor thinks that its keys look like.
    fn store_key(&self, given: &Secret) -> Result<Secret, LoginError> {
        if let Err(LoginError::BadKey { forceable: true, .. }) = api_key::check(self.provider, given, false) {
            self.ui.show(Event::Warning(&format!(
                "the key does not look like one of {}: the pattern of its descriptor may be out of date",
                self.provider.label
            )));
        }
        api_key::check(self.provider, given, true).map_err(|error| match error {
            LoginError::BadKey { provider, problem, .. } => LoginError::NoKey { provider, problem },
            other => other,
        })
    }
}
