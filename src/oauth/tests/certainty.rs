//! Errors, and whether the request may have taken effect.

use super::{
    server::{Does, Server, reply},
    *,
};

fn host(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

#[tokio::test]
async fn error_response_of_every_form_is_a_refusal() {
    for (status, body) in [
        ("400 Bad Request", r#"{"error": "invalid_grant", "error_description": "used up"}"#),
        ("401 Unauthorized", r#"{"error": {"code": "invalid_grant", "message": "used up"}}"#),
        ("200 OK", r#"{"error": "invalid_grant", "error_description": "used up"}"#),
    ] {
        let server = Server::answers(status, body).await;
        let error = refused(&server).await;
        assert!(error.is_permanent() && !error.outcome_is_unknown(), "{error:?}");
        assert_eq!(error.to_string(), "refused: invalid_grant: used up");
    }
}

#[tokio::test]
async fn refusal_repeats_nothing_that_was_sent() {
    let echo = format!(r#"{{"error": "invalid_grant", "error_description": "no {CANARY}"}}"#);
    let server = Server::answers("400 Bad Request", &echo).await;
    assert_eq!(refused(&server).await.to_string(), "refused: invalid_grant: no [..]");
}

#[tokio::test]
async fn success_with_a_token_beside_an_error_is_no_refusal() {
    for error in [r#"0"#, r#""none""#, r#"{"code": 0}"#, r#"null"#] {
        let server =
            Server::answers("200 OK", &format!(r#"{{"access_token": "x", "error": {error}}}"#)).await;
        let tokens = refresh(&http(), &endpoint(&server), &CANARY.into(), &LoginParameters::default())
            .await
            .expect(error);
        assert_eq!(tokens.credential.access_token.expose(), "x");
    }
    let server =
        Server::answers("400 Bad Request", r#"{"access_token": "x", "error": "invalid_grant"}"#).await;
    assert!(refused(&server).await.is_permanent(), "a failure status counts");
}

#[tokio::test]
async fn refusal_with_a_transient_code_is_not_permanent() {
    for (code, permanent) in [
        ("invalid_grant", true),
        ("invalid_client", true),
        ("unauthorized_client", true),
        ("refresh_token_reused", true),
        ("temporarily_unavailable", false),
        ("slow_down", false),
        ("authorization_pending", false),
    ] {
        let server = Server::answers("400 Bad Request", &format!(r#"{{"error": "{code}"}}"#)).await;
        assert_eq!(refused(&server).await.is_permanent(), permanent, "{code}");
    }
}

#[tokio::test]
async fn status_of_an_overloaded_server_is_unavailable() {
    for (status, body) in [
        ("429 Too Many Requests", r#"{"error": {"code": "rate_limited", "message": "later"}}"#),
        ("500 Internal Server Error", "<html>"),
        ("503 Service Unavailable", ""),
    ] {
        let server = Server::answers(status, body).await;
        let error = refused(&server).await;
        assert!(matches!(error, OAuthError::Unavailable { .. }), "{error:?}");
        assert!(!error.is_permanent() && !error.outcome_is_unknown());
        assert_eq!(server.asked().len(), 1, "a request is never repeated");
    }
}

/// By the meaning of each status in HTTP: refused, not received, unavailable, elsewhere; or done, with its result
/// elsewhere.
#[tokio::test]
async fn status_decides_whether_the_outcome_is_unknown() {
    let tokens = r#"{"access_token": "x", "refresh_token": "y"}"#;
    for (status, body, unknown) in [
        ("302 Found", "", false),
        ("303 See Other", "", true),
        ("307 Temporary Redirect", "", false),
        ("400 Bad Request", "", false),
        ("400 Bad Request", tokens, true),
        ("403 Forbidden", r#"{"refresh_token": "y"}"#, true),
        ("403 Forbidden", "", false),
        ("404 Not Found", "", false),
        ("408 Request Timeout", "", false),
        ("409 Conflict", "", false),
        ("425 Too Early", "", false),
        ("429 Too Many Requests", "", false),
        ("500 Internal Server Error", "", false),
        ("500 Internal Server Error", tokens, true),
        ("501 Not Implemented", "", false),
        ("503 Service Unavailable", "", false),
        ("504 Gateway Timeout", "", true),
    ] {
        let server = Server::answers(status, body).await;
        let error = refused(&server).await;
        assert_eq!(error.outcome_is_unknown(), unknown, "{status} {body}: {error:?}");
        assert!(!error.is_permanent(), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn request_without_a_connection_is_unreachable() {
    let closed_port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let no_tls = Server::answers("200 OK", "{}").await;
    for url in [
        format!("http://{closed_port}/token"),
        format!("https://{closed_port}/token"),
        "https://nobody.invalid/token".to_owned(),
        format!("https://127.0.0.1:{}/token", no_tls.port()),
    ] {
        let endpoint = TokenEndpoint { url: url.parse().expect("an endpoint"), ..endpoint(&no_tls) };
        let error = refresh(&http(), &endpoint, &CANARY.into(), &LoginParameters::default())
            .await
            .expect_err("an error");
        assert!(matches!(error, OAuthError::Unreachable { .. }), "{url}: {error:?}");
        assert!(!error.outcome_is_unknown() && !error.is_permanent());
        assert!(!error.to_string().contains("CANARY"));
    }
    assert!(no_tls.asked().is_empty());
}

#[tokio::test]
async fn request_without_a_complete_response_has_an_unknown_outcome() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\": \"x\"".to_vec();
    for does in [
        Does::Says(Vec::new()),
        Does::Says(half),
        Does::Says(b"nonsense\r\n\r\n".to_vec()),
        Does::Hangs(""),
        Does::Hangs("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        Does::Says(reply("502 Bad Gateway", "text/html", "<html>")),
        Does::Says(reply("504 Gateway Timeout", "text/html", "<html>")),
        Does::Says(reply("520 Unknown", "text/html", "<html>")),
    ] {
        let server = Server::that(does).await;
        let error = refused(&server).await;
        assert!(
            matches!(&error, OAuthError::OutcomeUnknown { host: h, .. } if *h == host(&server)),
            "{error:?}"
        );
        assert!(error.outcome_is_unknown() && !error.is_permanent());
        assert_eq!(server.asked().len(), 1, "a request is never repeated");
    }
}

#[tokio::test]
async fn response_of_no_use_is_reported_with_its_problem() {
    let large = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(2 << 20));
    for (does, what, unknown) in [
        (Does::Says(reply("200 OK", "application/json", "{}")), "no access token", true),
        (Does::Says(reply("200 OK", "application/json", r#"{"access_token": ""}"#)), "no access token", true),
        (
            Does::Says(reply("200 OK", "application/json", r#"{"access_token": "x\u001b[2J"}"#)),
            "characters that no token may have",
            true,
        ),
        (Does::Says(reply("200 OK", "application/json", "")), "is empty", true),
        (Does::Says(reply("200 OK", "text/html", "<html>CANARY</html>")), "not a JSON object", true),
        (Does::Says(reply("200 OK", "application/json", "[1]")), "not a JSON object", true),
        (Does::Says(reply("200 OK", "application/json", &large)), "too large", true),
        (Does::Floods("HTTP/1.1 200 OK\r\n\r\n{\"access_token\":          "), "too large", true),
        (
            Does::Says(reply("404 Not Found", "text/html", "<html>")),
            "not a response of an authorization server",
            false,
        ),
        (
            Does::Says(reply("403 Forbidden", "application/json", "{}")),
            "not a response of an authorization server",
            false,
        ),
    ] {
        let server = Server::that(does).await;
        let error = refused(&server).await;
        assert!(matches!(error, OAuthError::BadReply { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.outcome_is_unknown(), unknown, "{error}");
    }
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let other = Server::answers("200 OK", r#"{"access_token": "x"}"#).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"]
    {
        let text =
            format!("HTTP/1.1 {status}\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", other.url("/token"));
        let server = Server::that(Does::Says(text.into_bytes())).await;
        let error = refused(&server).await;
        assert!(error.to_string().contains("redirects elsewhere"), "{error}");
    }
    assert!(other.asked().is_empty());
}
