//! Logging in with a code that is confirmed on another device (RFC 8628).

use crate::{
    login::LoginError,
    oauth::{Http, Server, Tokens, device},
    provider::{Mode, flow::Flow},
    ui::{Event, Ui},
};

/// Shows a code, and waits until it is confirmed, refused or too old.
pub(in crate::login) async fn grant(
    ui: &dyn Ui,
    http: &Http,
    flow: &Flow,
    server: &Server,
) -> Result<Tokens, LoginError> {
    let Some(url) = &server.start else { return Err(LoginError::NotImplemented(Mode::Device)) };
    let code = device::start(http, url, &server.token, &flow.scopes, &flow.parameters).await?;
    ui.show(Event::DeviceCode {
        code: &code.user_code,
        url: code.url.url().as_str(),
        complete_url: code.complete_url.as_ref().map(|url| url.url().as_str()),
        lasts: code.expires_in,
    });
    Ok(device::wait(http, &server.token, &code, &flow.token_parameters).await?)
}
