//! OAuth logins: the modes in which we are the client of the authorization server ourselves.

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
    blocking,
    context::Context,
    credential::{Address, Credential, Metadata, Record, Secret},
    oauth::{AuthorizationServer, ClientIdentity, Http, TokenOrigin, Tokens},
    provider::{Mode, Provider, flow::Flow},
    store::{SharedStore, Store},
    ui::{Event, UiError},
};

/// The time limit for asking the vendor for the account's name.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// An OAuth login with everything that it depends on.
pub struct OAuthLogin<'a> {
    /// The directories, the project, the store and the user interface.
    pub context: &'a Context,
    /// The provider to log in to.
    pub provider: &'a Provider,
    /// The address of the credential.
    pub address: &'a Address,
    /// The mode: one of [`Mode::OAUTH_FLOWS`] that the provider has.
    pub mode: Mode,
    /// The options of the login.
    pub options: &'a LoginOptions,
}

/// Granted tokens, and the browser page that still waits for the outcome.
struct Grant {
    tokens: Tokens,
    page: Option<RedirectServer>,
}

/// Everything that a grant needs before anything is sent.
struct Preparation {
    client: ClientIdentity,
    subject: Option<Secret>,
    redirect: Option<browser::RedirectTarget>,
}

impl OAuthLogin<'_> {
    /// Logs in, stores the credential and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        let flow = self.flow()?;
        let bundle = match &self.options.ca_bundle {
            Some(path) => Some(path.clone()),
            None => self.context.project()?.ca_bundle_file()?,
        };
        let _lock = LoginLock::acquire(self.context.paths(), self.address).await?;
        // Opened first: nothing that cannot be stored may be requested.
        let store = self.context.prepared_store().await?;
        let ready = self.prepare(flow, &store).await?;
        let http = blocking::run(move || Http::new(bundle.as_deref())).await?;
        http.ignored_config().iter().for_each(|why| self.context.ui().show(Event::IgnoredConfig(why)));
        let limit = self.options.timeout.unwrap_or(cli::DEFAULT_LIMIT);
        let (origin, granted) = tokio::select! {
            granted = tokio::time::timeout(limit, self.grant(&http, flow, ready)) => {
                granted.map_err(|_| LoginError::TooLong(limit))??
            }
            () = cancel.cancelled() => return Err(UiError::Interrupted.into()),
        };
        let Grant { tokens, page } = granted;
        let stored = self.store_grant(&store, flow, &origin, tokens, cancel).await;
        if let Some(page) = page {
            page.finish(stored.is_ok()).await;
        }
        let mut record = stored?;
        if record.metadata.account.is_none() {
            record.metadata.account = self.account_name(&http, &store, &record, cancel).await;
        }
        Ok(record)
    }

    /// Asks the vendor for the account's name, once the tokens are stored: without one the login is complete all the same.
    async fn account_name(
        &self,
        http: &Http,
        store: &SharedStore,
        record: &Record,
        cancel: &mut CancelToken,
    ) -> Option<String> {
        let asked = account::from_userinfo(http, self.provider, record.credential.usable()?);
        let asked = tokio::select! {
            asked = tokio::time::timeout(ACCOUNT_TIMEOUT, asked) => asked,
            () = cancel.cancelled() => return None,
        };
        let why = match asked {
            Ok(Ok(name)) => {
                let name = name?;
                let (address, version, account) = (self.address.clone(), record.version, name.clone());
                match store.run(move |store| store.name_account(&address, version, &account)).await {
                    Ok(()) => return Some(name),
                    Err(error) => error.to_string(),
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no response in time".to_owned(),
        };
        self.context.ui().show(Event::Warning(&format!("cannot get the account's name: {why}")));
        None
    }

    fn flow(&self) -> Result<&Flow, LoginError> {
        self.provider.flow(self.mode).ok_or_else(|| LoginError::NotImplemented(self.mode))
    }

    /// Reads secrets and takes the port: everything that can fail before anything is sent.
    async fn prepare(&self, flow: &Flow, store: &SharedStore) -> Result<Preparation, LoginError> {
        let client = ClientIdentity::read(flow, self.mode)?;
        let subject = match self.mode {
            Mode::TokenExchange => {
                let (flow, address, context) = (flow.clone(), self.address.clone(), self.context.clone());
                let subject =
                    move |store: &mut Store| token_exchange::subject(&flow, &address, &context, store);
                Some(store.run(subject).await?)
            }
            _ => None,
        };
        let redirect = match self.mode {
            Mode::Browser => {
                let headless = self.options.headless;
                Some(browser::RedirectTarget::open(self.context.ui(), self.provider, flow, headless).await?)
            }
            _ => None,
        };
        Ok(Preparation { client, subject, redirect })
    }

    async fn grant(
        &self,
        http: &Http,
        flow: &Flow,
        ready: Preparation,
    ) -> Result<(TokenOrigin, Grant), LoginError> {
        let server = AuthorizationServer::find(http, flow, self.mode, ready.client).await?;
        let origin = TokenOrigin::new(self.mode, flow, &server);
        let granted = match (self.mode, ready.redirect, ready.subject) {
            (Mode::Browser, Some(redirect), _) => {
                let (tokens, page) = browser::grant(self.context.ui(), http, flow, &server, redirect).await?;
                Grant { tokens, page }
            }
            (Mode::TokenExchange, _, Some(subject)) => {
                let tokens = token_exchange::grant(http, flow, &server.token, &subject).await?;
                Grant { tokens, page: None }
            }
            (Mode::ClientCredentials, ..) => {
                let tokens = client_credentials::grant(http, flow, &server.token).await?;
                Grant { tokens, page: None }
            }
            _ => Grant { tokens: device::grant(self.context.ui(), http, flow, &server).await?, page: None },
        };
        Ok((origin, granted))
    }

    async fn store_grant(
        &self,
        store: &SharedStore,
        flow: &Flow,
        origin: &TokenOrigin,
        tokens: Tokens,
        cancel: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let (ui, account) = (self.context.ui(), account::from_reply(self.provider, &tokens));
        if flow.api_key_field.is_some() {
            let key = self.store_key(&tokens.credential.access_token)?;
            let metadata = Metadata { account, ..Metadata::default() };
            let key = Credential::ApiKey { key };
            return store::store_with_retry(store, self.address, key, metadata, ui, cancel).await;
        }
        let requested = Metadata { account, scopes: flow.scopes.clone(), ..Metadata::default() };
        let metadata = tokens.described(requested);
        let mut oauth = tokens.credential;
        origin.store_in(&mut oauth.extra);
        let oauth = Credential::OAuth(oauth);
        store::store_with_retry(store, self.address, oauth, metadata, ui, cancel).await
    }

    /// Accepts a key that the vendor issued even if it does not match the descriptor's pattern, with a warning.
    fn store_key(&self, given: &Secret) -> Result<Secret, LoginError> {
        if let Err(LoginError::BadKey { forceable: true, .. }) = api_key::check(self.provider, given, false) {
            self.context.ui().show(Event::Warning(&format!(
                "the key does not look like one of {}: the pattern in its descriptor may be out of date",
                self.provider.label
            )));
        }
        api_key::check(self.provider, given, true).map_err(|error| match error {
            LoginError::BadKey { provider, problem, .. } => LoginError::NoKey { provider, problem },
            other => other,
        })
    }
}
