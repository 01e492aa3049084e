//! Answers of an authorization server. The first line has the request and the status, such as `refresh 200`; the
//! rest is the body. It goes over a real connection, to a server in a thread of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{LazyLock, Mutex},
    thread,
    time::Duration,
};

use authenticate::{
    credential::{OAuth, Secret},
    oauth::{
        ClientAuth, Endpoint, Http, LoginParameters, OAuthError, TokenEndpoint, TokenHint, device, discovery,
        grant, refresh, revoke, userinfo,
    },
    provider::{descriptor::Body, flow::Flow},
    redact::is_invisible,
};

use super::first_line;
use crate::canary::{CANARY, undebugged};

const REFRESH_TOKEN: &str = "rt-0123456789/abcdef+ghijkl";
const CLIENT_SECRET: &str = "cs-ZYXWVUTSRQPONMLKJIHG";
/// The client that has the secret is `demo`: what its header holds, `demo:` and the secret.
const HEADER: &str = "ZGVtbzpjcy1aWVhXVlVUU1JRUE9OTUxLSklIRw==";
const CODE: &str = "code-mnopqrstuvwxyz";
/// So much of a value that was sent is not shown.
const PIECE: usize = 8;

/// The server, and what it says next.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || listener.incoming().flatten().for_each(|connection| drop(answer(connection))));
    address
});
static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match connection.read(&mut buffer)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    let answer = ANSWER.lock().expect("an answer").clone();
    connection.write_all(&answer)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    let length =
        head.split("content-length:").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn says(status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    *ANSWER.lock().expect("an answer") = [head.as_bytes(), body].concat();
}

fn at(path: &str) -> Endpoint {
    format!("http://{}{path}", *SERVER).parse().expect("an endpoint")
}

fn http() -> Http {
    static HTTP: LazyLock<Http> = LazyLock::new(|| Http::new(None).expect("HTTP"));
    HTTP.clone()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The request, the status, and the body.
fn asked(data: &[u8]) -> Option<(&str, u16, &[u8])> {
    let (line, body) = first_line(data)?;
    let (what, status) = line.split_once(' ')?;
    Some((what, status.parse().ok().filter(|status| (200..600).contains(status))?, body))
}

fn endpoint(client_auth: ClientAuth) -> TokenEndpoint {
    let client_secret = Some(CLIENT_SECRET.into());
    TokenEndpoint {
        url: at("/token"),
        client_id: "demo".into(),
        client_secret,
        client_auth,
        body: Body::Form,
    }
}

/// The token and the revocation endpoint.
pub fn token(data: &[u8]) {
    let Some((what, status, body)) = asked(data) else { return };
    says(status, body);
    let (http, flow) = (http(), Flow::default());
    let sent: &[&str] = match what {
        "client" => &[CLIENT_SECRET, HEADER],
        "code" => &[CLIENT_SECRET, REFRESH_TOKEN, CODE],
        "json" | "exchange" => &[CLIENT_SECRET, REFRESH_TOKEN],
        _ => &[CLIENT_SECRET, HEADER, REFRESH_TOKEN],
    };
    let tokens = match what {
        "refresh" => wait(refresh(
            &http,
            &endpoint(ClientAuth::Basic),
            &REFRESH_TOKEN.into(),
            &LoginParameters::default(),
        )),
        "json" => {
            let endpoint = TokenEndpoint { body: Body::Json, ..endpoint(ClientAuth::Body) };
            wait(refresh(&http, &endpoint, &REFRESH_TOKEN.into(), &LoginParameters::default()))
        }
        "code" => {
            let code = grant::AuthorizationCode {
                code: CODE.into(),
                verifier: REFRESH_TOKEN.into(),
                redirect_uri: "http://127.0.0.1:1/callback".parse().expect("a URL"),
            };
            let flow = Flow { api_key_field: Some("key".into()), ..flow };
            wait(grant::exchange_code(&http, &endpoint(ClientAuth::Body), &flow, &code))
        }
        "client" => wait(grant::client_credentials(&http, &endpoint(ClientAuth::Basic), &flow)),
        "exchange" => {
            wait(grant::exchange_token(&http, &endpoint(ClientAuth::Body), &flow, &REFRESH_TOKEN.into()))
        }
        "revoke" => {
            let token = Secret::new(REFRESH_TOKEN);
            let endpoint = TokenEndpoint { url: at("/revoke"), ..endpoint(ClientAuth::Basic) };
            let revoked = revoke(&http, &endpoint, &token, TokenHint::RefreshToken);
            return wait(revoked).err().iter().for_each(|error| fit_to_be_shown(error, status, sent));
        }
        "userinfo" => {
            let told = wait(userinfo::userinfo(&http, &at("/userinfo"), &REFRESH_TOKEN.into()));
            return told.err().iter().for_each(|error| fit_to_be_shown(error, status, sent));
        }
        _ => return,
    };
    match tokens {
        Err(error) => fit_to_be_shown(&error, status, sent),
        Ok(tokens) => {
            assert!((200..300).contains(&status), "status {status}");
            let OAuth { access_token, refresh_token, id_token, extra } = &tokens.credential;
            assert!(!access_token.is_empty());
            assert!(refresh_token.iter().chain(id_token).all(|token| !token.is_empty()));
            assert!(tokens.scopes.iter().flatten().all(|scope| !scope.contains(' ') || !scope.is_empty()));
            undebugged((access_token, refresh_token, id_token));
            assert!(extra.values().all(|value| !format!("{value:?}").contains(CANARY)));
        }
    }
}

/// The device authorization endpoint.
pub fn device(data: &[u8]) {
    let Some((_, status, body)) = asked(data) else { return };
    says(status, body);
    let flow = Flow { scopes: vec!["openid".to_owned()], ..Flow::default() };
    match wait(device::start(&http(), &at("/device"), &endpoint(ClientAuth::Basic), &flow)) {
        Err(error) => fit_to_be_shown(&error, status, &[CLIENT_SECRET, HEADER]),
        Ok(code) => {
            assert!((200..300).contains(&status), "status {status}");
            assert!(!code.user_code.is_empty() && code.user_code.len() <= 64);
            assert!(code.user_code.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{:?}", code.user_code);
            assert!((1..=3600).contains(&code.expires_in.as_secs()), "{:?}", code.expires_in);
            for page in
                [Some(&code.verification_uri), code.verification_uri_complete.as_ref()].into_iter().flatten()
            {
                assert!(page.url().scheme() == "https" || page.is_loopback(), "{page}");
                assert!(!page.to_string().contains(|c: char| c.is_control() || is_invisible(c)), "{page}");
            }
        }
    }
}

/// Documents that an issuer publishes. `ISSUER` in the body stands for the issuer that is asked.
pub fn discovery(data: &[u8]) {
    let Some((_, status, body)) = asked(data) else { return };
    let issuer = format!("http://{}", *SERVER);
    let body = String::from_utf8_lossy(body).replace("ISSUER", &issuer);
    says(status, body.as_bytes());
    match wait(discovery::discover(&http(), &issuer)) {
        Err(error) => fit_to_be_shown(&error, status, &[]),
        Ok(published) => {
            assert_eq!(status, 200);
            assert!(body.contains(&issuer) || body.contains('\\'), "it is about another issuer");
            let discovery::ServerMetadata { authorization, device_authorization, token, revocation } =
                published;
            for endpoint in [authorization, device_authorization, token, revocation].into_iter().flatten() {
                assert!(endpoint.url().scheme() == "https" || endpoint.is_loopback(), "{endpoint}");
                assert!(endpoint.url().username().is_empty() && endpoint.url().password().is_none());
            }
        }
    }
}

/// An error is one short printable line with nothing of what was sent, and says rightly whether to try again.
fn fit_to_be_shown(error: &OAuthError, status: u16, sent: &[&str]) {
    assert!(!matches!(error, OAuthError::Setup(_)), "{error}");
    // What was only asked for was not to be had where one server speaks for another.
    if let OAuthError::Unreachable { .. } = error {
        assert!(matches!(status, 502 | 504..), "{error}");
    }
    assert!(!(error.outcome_is_unknown() && error.is_permanent()), "{error}");
    if let OAuthError::BadReply { .. } = error {
        // After 303 the answer to what was done is elsewhere.
        assert_eq!(error.outcome_is_unknown(), (200..300).contains(&status) || status == 303, "{error}");
    }
    let said = error.to_string();
    assert!(said.len() < 1500, "{} bytes: {said}", said.len());
    assert!(!said.contains(|c: char| c.is_control() || is_invisible(c)), "{said:?}");
    let all = format!("{said} {error:?}");
    for secret in sent {
        let piece = secret.as_bytes().windows(PIECE).find(|piece| {
            let piece = std::str::from_utf8(piece).expect("ASCII");
            all.contains(piece)
        });
        assert_eq!(piece, None, "what was sent is shown: {all}");
    }
}
