//! OAuth logins: the modes in which we are the client of the authorization server ourselves.

pub mod account;
pub mod browser;
pub mod device;
pub mod non_interactive;
pub mod redirect;
pub mod redirect_server;
pub mod token_exchange;

use std::time::Duration;

use self::{browser::RedirectTarget, non_interactive::NonInteractiveGrant, redirect_server::RedirectServer};
use super::{CancelToken, Login, LoginError, cli, direct::api_key, record::LoginLock, store};
use crate::{
    blocking,
    credential::{Credential, Metadata, Record, Secret},
    oauth::{AuthorizationServer, ClientIdentity, Http, TokenOrigin, Tokens},
    provider::{Mode, flow::Flow},
    store::SharedStore,
    ui::{Event, UiError},
};

/// The time limit for asking the vendor for the account's name.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// A grant that is prepared: what can fail before anything is sent has not failed.
enum PreparedGrant {
    Browser(RedirectTarget),
    Device,
    NonInteractive(Box<NonInteractiveGrant>),
}

impl Login {
    /// Runs an OAuth flow with the authorization server, stores the tokens and reads them back.
    pub(super) async fn run_oauth_flow(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        let not_implemented = LoginError::NotImplemented(self.mode);
        let flow = self.provider.flow(self.mode).ok_or(not_implemented)?;
        let bundle = match &self.options.ca_bundle {
            Some(path) => Some(path.clone()),
            None => self.context.project()?.ca_bundle_file()?,
        };
        let _lock = LoginLock::acquire(self.context.paths(), &self.address).await?;
        // Opened first: nothing that cannot be stored may be requested.
        let store = store::open(&self.context).await?;
        let client = ClientIdentity::read(flow, self.mode)?;
        let prepared = self.prepare(flow, &store).await?;
        let http = blocking::run(move || Http::new(bundle.as_deref())).await?;
        http.ignored_config().iter().for_each(|why| self.context.ui().show(Event::IgnoredConfig(why)));
        let limit = self.options.timeout.unwrap_or(cli::DEFAULT_LIMIT);
        let request = async {
            let server = AuthorizationServer::find(&http, flow, self.mode, client).await?;
            let (tokens, page) = self.grant(&http, flow, &server, prepared).await?;
            let revoke = self.provider.revoke.as_ref().map(|revoke| revoke.url.parse()).transpose();
            let origin = TokenOrigin::new(self.mode, flow, &server, revoke.unwrap_or_default());
            let are_scopes_named = tokens.scopes.is_some();
            Ok::<_, LoginError>((TokenOrigin { are_scopes_named, ..origin }, tokens, page))
        };
        let (origin, tokens, page) = tokio::select! {
            granted = tokio::time::timeout(limit, request) => granted.map_err(|_| LoginError::TooLong(limit))??,
            () = cancel.cancelled() => return Err(UiError::Interrupted.into()),
        };
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
        let asked = account::from_userinfo(http, &self.provider, record.credential.usable()?);
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

    /// Reads secrets and takes the port: everything that can fail before anything is sent.
    async fn prepare(&self, flow: &Flow, store: &SharedStore) -> Result<PreparedGrant, LoginError> {
        Ok(match self.mode {
            Mode::Browser => {
                let (ui, headless) = (self.context.ui(), self.options.headless);
                PreparedGrant::Browser(RedirectTarget::open(ui, &self.provider, flow, headless).await?)
            }
            Mode::Device => PreparedGrant::Device,
            mode => {
                let login = self.clone();
                let grant = store.run(move |store| {
                    NonInteractiveGrant::of(&login.provider, mode, &login.address, &login.context, store)
                });
                PreparedGrant::NonInteractive(Box::new(grant.await?.ok_or(LoginError::NotImplemented(mode))?))
            }
        })
    }

    /// Gets the tokens, and the browser's page that waits for the outcome.
    async fn grant(
        &self,
        http: &Http,
        flow: &Flow,
        server: &AuthorizationServer,
        prepared: PreparedGrant,
    ) -> Result<(Tokens, Option<RedirectServer>), LoginError> {
        let ui = self.context.ui();
        match prepared {
            PreparedGrant::Browser(target) => browser::grant(ui, http, flow, server, target).await,
            PreparedGrant::Device => Ok((device::grant(ui, http, flow, server).await?, None)),
            PreparedGrant::NonInteractive(grant) => Ok((grant.run(http, &server.token).await?, None)),
        }
    }

    async fn store_grant(
        &self,
        store: &SharedStore,
        flow: &Flow,
        origin: &TokenOrigin,
        tokens: Tokens,
        cancel: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let account = account::from_reply(&self.provider, &tokens);
        let (credential, metadata) = if flow.api_key_field.is_some() {
            let key = self.issued_key(&tokens.credential.access_token)?;
            (Credential::ApiKey { key }, Metadata { account, ..Metadata::default() })
        } else {
            let requested = Metadata { account, scopes: flow.scopes.clone(), ..Metadata::default() };
            let metadata = tokens.described(requested);
            let mut oauth = tokens.credential;
            origin.store_in(&mut oauth.extra);
            (Credential::OAuth(oauth), metadata)
        };
        store::store_with_retry(&self.context, store, &self.address, credential, metadata, cancel).await
    }

    /// Accepts a key that the vendor issued even if it does not match the descriptor's pattern, with a warning.
    fn issued_key(&self, given: &Secret) -> Result<Secret, LoginError> {
        if let Err(LoginError::BadKey { forceable: true, .. }) = api_key::check(&self.provider, given, false)
        {
            self.context.ui().show(Event::Warning(&format!(
                "the key does not look like one of {}: the pattern in its descriptor may be out of date",
                self.provider.label
            )));
        }
        api_key::check(&self.provider, given, true).map_err(|error| match error {
            LoginError::BadKey { provider, problem, .. } => LoginError::NoKey { provider, problem },
            other => other,
        })
    }
}
