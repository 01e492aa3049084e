//! Logging in in a browser that comes back to this machine (RFC 6749 section 4.1, RFC 7636, RFC 8252).

use oauth2::{CsrfToken, PkceCodeChallenge};
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;

use super::{
    Grant, OAuthLogin,
    redirect::{AuthorizationResponse, ExpectedRedirect},
    redirect_server::RedirectServer,
};
use crate::{
    credential::Secret,
    login::{
        LoginError,
        cli::port_forward::{ExpectedCallback, listen},
    },
    oauth::{
        Http, Server, Tokens,
        grant::{Code, exchange_code},
    },
    provider::{
        Mode,
        flow::{Flow, StatePlace},
    },
    ui::{Event, UiError},
};

/// How the browser's answer gets here: to a port, by paste, or both.
pub(in crate::login) struct RedirectTarget {
    port: u16,
    listener: Option<TcpListener>,
    lines: Option<mpsc::Receiver<Secret>>,
}

impl RedirectTarget {
    /// Takes the port, and finds out whether somebody can paste.
    pub async fn open(login: &OAuthLogin<'_>, flow: &Flow) -> Result<Self, LoginError> {
        let lines = login.ui.lines();
        let returns = login.ui.browser_can_return() && !login.how.headless;
        if !returns && lines.is_none() {
            let device = match login.provider.modes.contains(&Mode::Device) {
                true => "; or use --mode device",
                false => "",
            };
            let text = format!(
                "no browser can come back to this machine, and there is no terminal to paste at: use --no-browser, and give \
                 the address that the browser ends at on standard input{device}"
            );
            return Err(UiError::NoOneToAsk(text).into());
        }
        let listened = listen(&[flow.redirect_port.unwrap_or(0)]).await.map(|mut listeners| listeners.pop());
        match listened {
            Ok(Some((_, listener))) => {
                let local = listener.local_addr().map_err(UiError::Io)?;
                Ok(Self { port: local.port(), listener: Some(listener), lines })
            }
            Ok(None) => Err(LoginError::NotImplemented(Mode::Browser)),
            Err(taken) if lines.is_some() => {
                let text = format!("{taken}: the browser's address must be pasted");
                login.ui.show(Event::Warning(&text));
                Ok(Self { port: taken.port, listener: None, lines })
            }
            Err(taken) => Err(LoginError::PortTaken(taken)),
        }
    }
}

/// Shows the vendor's page, waits for the browser to come back, and exchanges the code that it brings.
pub(in crate::login) async fn grant(
    login: &OAuthLogin<'_>,
    http: &Http,
    flow: &Flow,
    server: &Server,
    way_back: RedirectTarget,
) -> Result<Grant, LoginError> {
    let Some(start) = &server.start else { return Err(LoginError::NotImplemented(Mode::Browser)) };
    let attempt = Attempt::new(start.url(), flow, &server.token.client_id, way_back.port)?;
    let mut page = way_back.listener.map(|listener| RedirectServer::start(listener, attempt.awaited.clone()));
    login.ui.show(Event::LoginUrl(attempt.url.as_str()));
    let answer = attempt.answer(login, page.as_mut(), way_back.lines).await;
    let tokens = match answer {
        AuthorizationResponse::Code(code) => attempt.exchange(http, flow, server, code).await,
        AuthorizationResponse::Refused(error) => Err(error.into()),
    };
    match tokens {
        Ok(tokens) => Ok(Grant { tokens, page }),
        Err(error) => {
            if let Some(page) = page {
                page.finish(false).await;
            }
            Err(error)
        }
    }
}

/// One attempt: what the browser is sent with, and what binds its answer to us.
struct Attempt {
    url: Url,
    awaited: ExpectedRedirect,
    verifier: Secret,
}

impl Attempt {
    fn new(start: &Url, flow: &Flow, client_id: &str, port: u16) -> Result<Self, LoginError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new_random_len(32).into_secret();
        let host = flow.redirect_host.unwrap_or_default().as_str();
        let path = flow.redirect_path.as_deref().unwrap_or("/callback");
        let in_path = flow.state == Some(StatePlace::Path);
        let end = if in_path { format!("{}/{state}", path.trim_end_matches('/')) } else { path.to_owned() };
        let redirect = Url::parse(&format!("http://{host}:{port}{end}"))
            .map_err(|source| crate::net::endpoint::EndpointError::NotUrl { text: end, source })
            .map_err(crate::oauth::OAuthError::from)?;
        let mut url = start.clone();
        {
            let mut query = url.query_pairs_mut();
            let parameter = flow.redirect_parameter.as_deref();
            if parameter.is_none() {
                query.append_pair("response_type", "code");
            }
            if !client_id.is_empty() {
                query.append_pair("client_id", client_id);
            }
            query.append_pair(parameter.unwrap_or("redirect_uri"), redirect.as_str());
            if !flow.scopes.is_empty() {
                query.append_pair("scope", &flow.scopes.join(" "));
            }
            if !in_path {
                query.append_pair("state", &state);
            }
            query.append_pair("code_challenge", challenge.as_str());
            query.append_pair("code_challenge_method", challenge.method().as_str());
            query.extend_pairs(&flow.parameters);
        }
        let expected = ExpectedCallback::new(redirect, (!in_path).then_some(state));
        let awaited = ExpectedRedirect::new(expected, flow.issuer.clone());
        Ok(Self { url, awaited, verifier: verifier.into_secret().into() })
    }

    /// The first answer to this attempt. Whatever else comes is refused, and the wait goes on.
    async fn answer(
        &self,
        login: &OAuthLogin<'_>,
        mut page: Option<&mut RedirectServer>,
        mut lines: Option<mpsc::Receiver<Secret>>,
    ) -> AuthorizationResponse {
        if lines.is_some() {
            login.ui.show(Event::PasteAnswer { redirect: self.awaited.redirect().as_str() });
        }
        loop {
            let line = tokio::select! {
                answer = came_back(&mut page) => return answer,
                line = pasted(&mut lines) => line,
            };
            match self.awaited.pasted(line.expose()) {
                Ok(answer) => return answer,
                Err(_) if line.expose().trim().is_empty() => {}
                Err(problem) => login.ui.show(Event::Warning(&format!("{problem}; paste it again"))),
            }
        }
    }

    async fn exchange(
        &self,
        http: &Http,
        flow: &Flow,
        server: &Server,
        code: Secret,
    ) -> Result<Tokens, LoginError> {
        let code = Code {
            code,
            verifier: self.verifier.clone(),
            // A vendor that calls it otherwise does not compare it, either.
            redirect: flow.redirect_parameter.is_none().then(|| self.awaited.redirect().clone()),
        };
        let field = flow.api_key_field.as_deref().unwrap_or("access_token");
        Ok(exchange_code(http, &server.token, code, &flow.token_parameters, field).await?)
    }
}

async fn came_back(page: &mut Option<&mut RedirectServer>) -> AuthorizationResponse {
    match page {
        Some(page) => page.answer().await,
        None => std::future::pending().await,
    }
}

/// The next line. Never returns when nobody types.
async fn pasted(lines: &mut Option<mpsc::Receiver<Secret>>) -> Secret {
    if let Some(receiver) = lines {
        match receiver.recv().await {
            Some(line) => return line,
            None => *lines = None,
        }
    }
    std::future::pending().await
}
