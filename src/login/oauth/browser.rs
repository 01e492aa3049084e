//! The authorization code grant with PKCE, in a browser that comes back to this machine (RFC 6749 section 4.1, RFC 7636,
//! RFC 8252).

use std::future::pending;

use url::Url;

use super::{
    redirect::{AuthorizationResponse, ExpectedRedirect},
    redirect_server::RedirectServer,
};
use crate::{
    credential::Secret,
    login::{
        LoginError,
        loopback::{ExpectedCallback, LoopbackPort, PortUnavailable},
    },
    net::endpoint::EndpointError,
    oauth::{
        AuthorizationServer, Http, OAuthError, Tokens,
        grant::{AuthorizationCode, exchange_code},
        pkce,
    },
    provider::{
        Mode, Provider,
        flow::{Flow, StatePlace},
    },
    ui::{Event, Lines, Ui},
};

/// The way of the authorization response to us: a port, pasted lines, or both.
pub(in crate::login) struct RedirectTarget {
    port: Result<LoopbackPort, PortUnavailable>,
    lines: Option<Lines>,
}

impl RedirectTarget {
    /// Takes the port of the redirect URI, and finds out whether a response can be pasted.
    pub(crate) async fn open(
        ui: &dyn Ui,
        provider: &Provider,
        flow: &Flow,
        headless: bool,
    ) -> Result<Self, LoginError> {
        let lines = ui.lines();
        let can_return = ui.browser_can_return() && !headless;
        if !can_return && lines.is_none() {
            return Err(LoginError::NoWayBack { has_device: provider.modes.contains(&Mode::Device) });
        }
        let host = flow.redirect_host.unwrap_or_default().as_str();
        let port = LoopbackPort::listen(host, flow.redirect_port.unwrap_or(0)).await;
        match &port {
            Err(taken) if lines.is_none() => return Err(LoginError::PortTaken(taken.clone())),
            Err(taken) => ui.show(Event::Warning(&taken.paste_instead())),
            Ok(_) => {}
        }
        Ok(Self { port, lines })
    }
}

/// Shows the vendor's page, waits for the authorization response, and exchanges its code. The browser waits at the server
/// that is returned with the tokens, to be shown the outcome.
pub(in crate::login) async fn grant(
    ui: &dyn Ui,
    http: &Http,
    flow: &Flow,
    server: &AuthorizationServer,
    target: RedirectTarget,
) -> Result<(Tokens, Option<RedirectServer>), LoginError> {
    let Some(start) = &server.start else { return Err(LoginError::NotImplemented(Mode::Browser)) };
    let port = target.port.as_ref().map_or_else(|taken| taken.port, LoopbackPort::port);
    let request = AuthorizationRequest::new(start.url(), flow, &server.token.client_id, port)?;
    let mut page = target.port.map(|port| RedirectServer::start(port, request.expected.clone()));
    ui.show(Event::LoginUrl(request.url.as_str()));
    let response = request.response(ui, page.as_mut(), target.lines).await.map_err(LoginError::PortTaken)?;
    let tokens = match response {
        AuthorizationResponse::Code(code) => request.exchange(http, flow, server, code).await,
        AuthorizationResponse::Refused(error) => Err(error),
    };
    match tokens {
        Ok(tokens) => Ok((tokens, page.ok())),
        Err(error) => {
            if let Ok(page) = page {
                page.finish(false).await;
            }
            Err(error.into())
        }
    }
}

/// An authorization request (RFC 6749 section 4.1.1), and the values that bind its response to it.
struct AuthorizationRequest {
    url: Url,
    expected: ExpectedRedirect,
    verifier: Secret,
}

impl AuthorizationRequest {
    fn new(endpoint: &Url, flow: &Flow, client_id: &str, port: u16) -> Result<Self, OAuthError> {
        let (verifier, state) = (pkce::random_text()?, pkce::random_text()?);
        let state_in_path = flow.state == Some(StatePlace::Path);
        let redirect_uri = redirect_uri(flow, port, state_in_path.then_some(&state))?;
        let mut url = endpoint.clone();
        {
            let mut query = url.query_pairs_mut();
            let parameter = flow.redirect_parameter.as_deref();
            if parameter.is_none() {
                query.append_pair("response_type", "code");
            }
            if !client_id.is_empty() {
                query.append_pair("client_id", client_id);
            }
            query.append_pair(parameter.unwrap_or("redirect_uri"), redirect_uri.as_str());
            if !flow.scopes.is_empty() {
                query.append_pair("scope", &flow.scopes.join(" "));
            }
            if !state_in_path {
                query.append_pair("state", state.expose());
            }
            query.append_pair("code_challenge", &pkce::challenge(&verifier));
            query.append_pair("code_challenge_method", pkce::METHOD);
            query.extend_pairs(&flow.parameters);
        }
        let state = (!state_in_path).then(|| state.expose().to_owned());
        let expected = ExpectedRedirect::new(ExpectedCallback::new(redirect_uri, state), flow.issuer.clone());
        Ok(Self { url, expected, verifier })
    }

    /// Waits for the first response to this request. Anything else is refused, and the wait goes on, until nobody is left
    /// who could bring one: the port is taken, and nothing more is typed.
    async fn response(
        &self,
        ui: &dyn Ui,
        mut page: Result<&mut RedirectServer, &mut PortUnavailable>,
        mut lines: Option<Lines>,
    ) -> Result<AuthorizationResponse, PortUnavailable> {
        if lines.is_some() {
            ui.show(Event::PasteAnswer { redirect: self.expected.redirect_uri().as_str() });
        }
        loop {
            let line = tokio::select! {
                Some(response) = async { page.as_mut().ok()?.response().await } => return Ok(response),
                Some(line) = async { lines.as_mut()?.received.recv().await } => line,
                else => match page {
                    Err(taken) => return Err(taken.clone()),
                    Ok(_) => pending().await,
                },
            };
            match self.expected.parse_pasted(line.expose()) {
                Ok(response) => return Ok(response),
                Err(_) if line.expose().trim().is_empty() => {}
                Err(problem) => ui.show(Event::Warning(&format!("{problem}; paste it again"))),
            }
        }
    }

    async fn exchange(
        &self,
        http: &Http,
        flow: &Flow,
        server: &AuthorizationServer,
        code: Secret,
    ) -> Result<Tokens, OAuthError> {
        let code = AuthorizationCode {
            code,
            verifier: self.verifier.clone(),
            redirect_uri: self.expected.redirect_uri().clone(),
        };
        exchange_code(http, &server.token, flow, &code).await
    }
}

/// Builds the redirect URI, with the state as its last segment for a vendor that does not return `state`.
fn redirect_uri(flow: &Flow, port: u16, state: Option<&Secret>) -> Result<Url, OAuthError> {
    let host = flow.redirect_host.unwrap_or_default().as_str();
    let mut path = flow.redirect_path.as_deref().unwrap_or("/callback").to_owned();
    if let Some(state) = state {
        path = format!("{}/{}", path.trim_end_matches('/'), state.expose());
    }
    Url::parse(&format!("http://{host}:{port}{path}"))
        .map_err(|source| EndpointError::NotUrl { text: path, source }.into())
}
