//! The device authorization grant (RFC 8628), with a code that the person confirms on another device.

use crate::{
    login::LoginError,
    oauth::{AuthorizationServer, Http, Tokens, device},
    provider::{Mode, flow::Flow},
    ui::{Event, Ui},
};

/// Shows a user code, and waits until it is confirmed, refused or expired.
pub(in crate::login) async fn grant(
    ui: &dyn Ui,
    http: &Http,
    flow: &Flow,
    server: &AuthorizationServer,
) -> Result<Tokens, LoginError> {
    let Some(url) = &server.start else { return Err(LoginError::NotImplemented(Mode::Device)) };
    let code = device::start(http, url, &server.token, flow).await?;
    ui.show(Event::DeviceCode {
        code: &code.user_code,
        url: code.verification_uri.url().as_str(),
        complete_url: code.verification_uri_complete.as_ref().map(|url| url.url().as_str()),
        lasts: code.expires_in,
    });
    let tell = |text: &str| ui.show(Event::Warning(text));
    Ok(device::wait(http, &server.token, flow, &code, tell).await?)
}
