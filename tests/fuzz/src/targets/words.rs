//! Words that people type: names, references, addresses, engines, key sources.

use authenticate::{
    config::SecretReference, credential::Name, engine::EngineSelector, net::endpoint::Endpoint,
    provider::run_args::RunArgs, redact, store::KeySource,
};

/// A text that no parser takes.
const OTHER: &str = "* * * * * * * * * * * * * * * *";

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // What is in the message about anything else, too, is the message's own.
    let could_be_a_key = text.len() > 24 && !redact::looks_safe(text);
    let repeated =
        |said: &str, of_other: &str| could_be_a_key && said.contains(text) && !of_other.contains(text);
    match text.parse::<Name>() {
        Ok(name) => {
            assert_eq!(name.to_string(), text);
            assert!(!text.contains(['/', '\0', ' ', '\n']) && text != ".." && text.len() <= 64);
        }
        Err(error) => {
            let of_other = OTHER.parse::<Name>().expect_err("no name").to_string();
            assert!(!repeated(&error.to_string(), &of_other), "{error}");
        }
    }
    match text.parse::<SecretReference>() {
        Ok(reference) => assert_eq!(reference.to_string().parse(), Ok(reference)),
        Err(problem) => {
            let named = ["env:", "file:"].iter().any(|kind| text.starts_with(kind));
            let of_other = OTHER.parse::<SecretReference>().expect_err("no reference");
            assert!(named || !repeated(&problem, &of_other), "{problem}");
        }
    }
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let url = endpoint.url();
            assert!(url.scheme() == "https" || url.scheme() == "http" && endpoint.is_loopback());
            assert!(!redact::has_userinfo(url.as_str()) && url.fragment().is_none());
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() < 1500, "{} bytes of an error", said.len());
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
    let _ = text.parse::<EngineSelector>().map_err(|error| error.to_string());
    let _ = text.parse::<KeySource>().map_err(|error| error.to_string());
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    if let Ok(run) = RunArgs::parse(&words) {
        assert!(run.env.iter().all(|(name, _)| !name.is_empty() && !name.contains(['=', '\0'])));
        assert!(run.publish.iter().all(|port| port.container != 0));
    }
    assert!(!redact::has_userinfo(&redact::redact_url(text)) || redact::redact_url(text).contains("://...@"));
    if redact::looks_safe(text) {
        assert!(!text.contains(char::is_control));
    }
}
