//! The bytes of requests, and the responses to them.

use super::{server::Server, *};

const TOKENS: &str =
    r#"{"access_token": "new", "refresh_token": "next", "token_type": "Bearer", "expires_in": 60}"#;

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").expect("a body").1
}

#[tokio::test]
async fn refresh_sends_one_form_with_the_client_id() {
    let server = Server::answers("200 OK", TOKENS).await;
    let tokens = refresh(&http(), &endpoint(&server), &CANARY.into()).await.expect("tokens");
    assert_eq!(tokens.credential.access_token, "new".into());
    assert_eq!(tokens.credential.refresh_token, Some("next".into()));
    let asked = server.asked();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    let head = request.to_lowercase();
    assert!(head.starts_with("post /token http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    assert!(head.contains(concat!("user-agent: authenticate/", env!("CARGO_PKG_VERSION"), "\r\n")), "{head}");
    assert_eq!(body(request), format!("grant_type=refresh_token&refresh_token={CANARY}&client_id=demo"));
}

#[tokio::test]
async fn refresh_with_body_json_sends_an_object() {
    let server = Server::answers("200 OK", TOKENS).await;
    let endpoint = TokenEndpoint { body: Body::Json, ..endpoint(&server) };
    refresh(&http(), &endpoint, &"r\"\\é&=".into()).await.expect("tokens");
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
        refresh(&http(), endpoint, &"r".into()).await.expect("tokens");
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
