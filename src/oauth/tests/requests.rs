//! The bytes of requests, and the responses to them.

use std::io::Read as _;

use super::{server::Server, *};

const TOKENS: &str =
    r#"{"access_token": "new", "refresh_token": "next", "token_type": "Bearer", "expires_in": 60}"#;

fn compressed(format: &str, plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut bytes = Vec::new();
    match format {
        "gzip" => flate2::read::GzEncoder::new(plain, level).read_to_end(&mut bytes),
        _ => flate2::read::ZlibEncoder::new(plain, level).read_to_end(&mut bytes),
    }
    .expect("compressed");
    bytes
}

/// A stream with one uncompressed meta-block (RFC 7932 section 9.2).
fn brotli(plain: &[u8]) -> Vec<u8> {
    let length = u32::try_from(plain.len() - 1).expect("short");
    let head = (length << 4 | 1 << 20).to_le_bytes();
    [&head[..3], plain, &[3]].concat()
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").expect("a body").1
}

#[tokio::test]
async fn refresh_sends_one_form_with_the_client_id() {
    let server = Server::answers("200 OK", TOKENS).await;
    let tokens = refresh(&http(), &endpoint(&server), &CANARY.into(), &LoginParameters::default())
        .await
        .expect("tokens");
    assert_eq!(tokens.credential.access_token, "new".into());
    assert_eq!(tokens.credential.refresh_token, Some("next".into()));
    let asked = server.asked();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    let head = request.to_lowercase();
    assert!(head.starts_with("post /token http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(head.contains(concat!("user-agent: authenticate/", env!("CARGO_PKG_VERSION"), "\r\n")), "{head}");
    assert_eq!(body(request), format!("grant_type=refresh_token&refresh_token={CANARY}&client_id=demo"));
}

#[tokio::test]
async fn refresh_with_body_json_sends_an_object() {
    let server = Server::answers("200 OK", TOKENS).await;
    let endpoint = TokenEndpoint { body: Body::Json, ..endpoint(&server) };
    refresh(&http(), &endpoint, &"r\"\\é&=".into(), &LoginParameters::default()).await.expect("tokens");
    let request = server.asked().remove(0);
    assert!(request.to_lowercase().contains("content-type: application/json\r\n"), "{request}");
    let sent: serde_json::Value = serde_json::from_str(body(&request)).expect("json");
    let expected = serde_json::json!({
        "grant_type": "refresh_token", "refresh_token": "r\"\\é&=", "client_id": "demo",
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn client_secret_goes_into_the_header_or_the_form() {
    let server = Server::answers("200 OK", TOKENS).await;
    let basic = TokenEndpoint { client_secret: Some("s:1".into()), ..endpoint(&server) };
    let in_body = TokenEndpoint { client_auth: ClientAuth::Body, ..basic.clone() };
    for endpoint in [&basic, &in_body] {
        refresh(&http(), endpoint, &"r".into(), &LoginParameters::default()).await.expect("tokens");
    }
    let asked = server.asked();
    assert!(asked[0].to_lowercase().contains("authorization: basic zgvtbzpzjtnbmq==\r\n"), "{}", asked[0]);
    assert_eq!(body(&asked[0]), "grant_type=refresh_token&refresh_token=r");
    assert!(!asked[1].to_lowercase().contains("authorization:"), "{}", asked[1]);
    assert!(body(&asked[1]).ends_with("&client_id=demo&client_secret=s%3A1"), "{}", asked[1]);
}

#[tokio::test]
async fn response_without_a_token_type_is_accepted() {
    let server = Server::answers("200 OK", r#"{"access_token": "new"}"#).await;
    assert_eq!(refreshed(&server).await.expect("tokens").credential.access_token, "new".into());
}

/// Some servers compress whatever a client accepts, or begin a document with a byte order mark.
#[tokio::test]
async fn response_is_read_however_it_is_encoded() {
    let plain = format!("\u{feff}{TOKENS}").into_bytes();
    for (encoding, body) in [
        ("identity", plain.clone()),
        ("gzip", compressed("gzip", &plain)),
        ("deflate", compressed("zlib", &plain)),
        ("br", brotli(&plain)),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let server = Server::that(server::Does::Says([head.into_bytes(), body].concat())).await;
        let tokens = refreshed(&server).await.expect(encoding);
        assert_eq!(tokens.credential.refresh_token, Some("next".into()), "{encoding}");
    }
}

#[tokio::test]
async fn compressed_response_is_bounded_and_a_damaged_one_is_in_doubt() {
    let bomb = compressed("gzip", &vec![b' '; 64 << 20]);
    for (body, what) in
        [(bomb, "it is too large"), (b"no gzip".to_vec(), "outcome of the request is unknown")]
    {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
        let server = Server::that(server::Does::Says([head.into_bytes(), body].concat())).await;
        let error = refused(&server).await;
        assert!(error.outcome_is_unknown() && error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn revocation_sends_the_token_with_its_type_hint() {
    let server = Server::answers("200 OK", "").await;
    let (token, access) = (CANARY.into(), TokenHint::AccessToken);
    let public = endpoint(&server);
    let no_client = TokenEndpoint { client_id: String::new(), body: Body::Json, ..public.clone() };
    let basic = TokenEndpoint { client_secret: Some("s".into()), ..public.clone() };
    let post = TokenEndpoint { client_auth: ClientAuth::Body, ..basic.clone() };
    revoke(&http(), &public, &token, TokenHint::RefreshToken).await.expect("done");
    for client in [no_client, basic, post] {
        revoke(&http(), &client, &token, access).await.expect("done");
    }
    let asked = server.asked();
    assert_eq!(body(&asked[0]), format!("token={CANARY}&token_type_hint=refresh_token&client_id=demo"));
    assert_eq!(body(&asked[1]), format!(r#"{{"token":"{CANARY}","token_type_hint":"access_token"}}"#));
    assert!(asked[2].to_lowercase().contains("authorization: basic "), "{}", asked[2]);
    assert!(!asked[3].to_lowercase().contains("authorization:"), "{}", asked[3]);
    assert!(body(&asked[3]).ends_with("&client_id=demo&client_secret=s"), "{}", asked[3]);
}

#[tokio::test]
async fn revocation_with_an_empty_response_succeeds() {
    let server = Server::that(server::Does::Says(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())).await;
    revoke(&http(), &endpoint(&server), &"t".into(), TokenHint::AccessToken).await.expect("done");
}

#[tokio::test]
async fn revocation_with_an_error_response_fails() {
    let server = Server::answers("400 Bad Request", r#"{"error": "unsupported_token_type"}"#).await;
    let error = revoke(&http(), &endpoint(&server), &CANARY.into(), TokenHint::AccessToken).await;
    assert!(
        matches!(&error, Err(OAuthError::Refused { code, .. }) if code == "unsupported_token_type"),
        "{error:?}"
    );
}
