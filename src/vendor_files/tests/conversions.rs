//! Conversions of values, and capture maps that break a rule.

use jiff::Timestamp;

use super::*;

fn expiry(convert: &str, value: &str) -> Option<i64> {
    let map = format!(
        "[{{file: a, format: json, kind: token, fields: {{token: /t, expires_at: {{path: /e, as: {convert}}}}}}}]"
    );
    let found = Login::with("a", format!(r#"{{"t":"T","e":{value}}}"#)).captured(&map);
    found.metadata.expires_at.map(Timestamp::as_second)
}

#[test]
fn expiry_is_read_in_every_form() {
    for (convert, value, expected) in [
        ("unix_seconds", "1800000000", Some(1_800_000_000)),
        ("unix_seconds", "1800000000.75", Some(1_800_000_000)),
        ("unix_seconds", r#""1800000000""#, Some(1_800_000_000)),
        ("unix_millis", "1800000000999", Some(1_800_000_000)),
        ("unix_millis", "1.8e12", Some(1_800_000_000)),
        ("rfc3339", r#""2027-01-15T09:00:00+01:00""#, Some(1_800_000_000)),
        // As other versions of the same tool write it.
        ("unix_millis", "1800000000", Some(1_800_000_000)),
        ("unix_seconds", "1800000000999", Some(1_800_000_000)),
        ("unix_millis", r#""2027-01-15T09:00:00+01:00""#, Some(1_800_000_000)),
        ("rfc3339", "1800000000", Some(1_800_000_000)),
        ("jwt_exp", r#""e30.eyJleHAiOjE4MDAwMDAwMDB9.x""#, Some(1_800_000_000)),
        ("jwt_exp", r#""e30.eyJleHAiOiIxODAwMDAwMDAwIn0=.""#, Some(1_800_000_000)),
    ] {
        assert_eq!(expiry(convert, value), expected, "{convert} {value}");
    }
}

#[test]
fn unknown_expiry_is_no_end_and_an_unreadable_one_is_told() {
    let captured = |convert: &str, value: &str| {
        let map = format!(
            "[{{file: a, format: json, kind: token, fields: {{token: /t, expires_at: {{path: /e, as: {convert}}}}}}}]"
        );
        Login::with("a", format!(r#"{{"t":"T","e":{value}}}"#)).captured(&map)
    };
    let jwt = |value: &str| format!("\"{value}\"");
    let unreadable = [
        "1e300",
        "-1",
        "-5",
        "-1e300",
        "9223372036854775807",
        "\"soon\"",
        "\"2027-13-45\"",
        "[]",
        "{}",
        "true",
    ];
    for (convert, value) in ["unix_seconds", "unix_millis", "rfc3339"]
        .into_iter()
        .flat_map(|convert| unreadable.map(|value| (convert, value.to_owned())))
        .chain([("jwt_exp", jwt("e30.eyJleHAiOjFlMzAwfQ.x"))])
    {
        let found = captured(convert, &value);
        assert!(found.has_unreadable_expiry, "{convert} {value}");
        assert_eq!(found.metadata.expires_at, None, "{convert} {value}");
    }
    let unknown = [("unix_millis", "0".to_owned()), ("unix_seconds", jwt("")), ("unix_millis", jwt("0"))];
    let opaque = ["sk-no-jwt", "a.b.c", "a.e30.c", "..", "e30.bnVsbA.x"].map(|token| ("jwt_exp", jwt(token)));
    for (convert, value) in unknown.into_iter().chain(opaque) {
        let found = captured(convert, &value);
        assert_eq!(
            (found.metadata.expires_at, found.has_unreadable_expiry),
            (None, false),
            "{convert} {value}"
        );
    }
}

#[test]
fn long_account_name_is_cut() {
    let map =
        "[{file: a, format: json, kind: token, fields: {token: /t, account: {path: /u, optional: true}}}]";
    let name = "é".repeat(60_000);
    let found = Login::with("a", format!(r#"{{"t":"T","u":"{name}"}}"#)).captured(map);
    assert_eq!(found.metadata.account, Some("é".repeat(200)));
}

#[test]
fn scopes_are_read_from_a_list_or_a_string() {
    for (path, value, expected) in [
        ("/s", r#"["a","b"]"#, "a b"),
        ("/s", r#"[1,"b",null]"#, "b"),
        ("{path: /s, as: space_separated}", r#"" a  b ""#, "a b"),
        ("{path: /s, as: space_separated}", r#"["a","b"]"#, "a b"),
        ("{path: /s, as: jwt_claim, claim: /scp}", r#""e30.eyJzY3AiOlsiYSIsImIiXX0.x""#, "a b"),
    ] {
        let map = format!("[{{file: a, format: json, kind: token, fields: {{token: /t, scopes: {path}}}}}]");
        let found = Login::with("a", format!(r#"{{"t":"T","s":{value}}}"#)).captured(&map);
        assert_eq!(found.metadata.scopes.join(" "), expected, "{path} {value}");
    }
}

#[test]
fn secret_that_is_null_or_blank_or_no_string_counts_as_missing() {
    let map = "[{file: a, format: json, kind: token, fields: {token: /a~1b/t}}]";
    for absent in ["null", "\"\"", "\" \\t\"", "7", "[]", "{}", "true"] {
        let login = Login::with("a", format!(r#"{{"a/b":{{"t":{absent}}}}}"#));
        assert_eq!(login.read(map).expect("readable"), None, "{absent}");
    }
    assert!(Login::with("a", r#"{"a/b":{"t":"T"}}"#).read(map).expect("readable").is_some());
}

#[test]
fn read_tries_the_next_entry_if_a_required_part_is_missing() {
    let map = "
- {file: a, format: json, kind: oauth, fields: {access_token: /a, refresh_token: /r}}
- {file: b, format: yaml, kind: token, fields: {token: /t, account: {path: /u, optional: true}}}
";
    let login = Login::with("a", r#"{"a":"A"}"#);
    assert_eq!(login.read(map).expect("readable"), None);
    login.put("b", "t: T\n");
    assert_eq!(login.captured(map).file, "b");
    login.put("a", r#"{"a":"A","r":"R"}"#);
    assert_eq!(login.captured(map).file, "a");
}

#[test]
fn stars_of_one_entry_stand_for_the_same_key() {
    let map = "
- file: a
  format: json
  kind: basic
  fields: {username: /names/*/u, password: /words/*/p, host: {path: /names/*, as: key}}
";
    let read = |text: &str| Login::with("a", text).read(map);
    let found = read(r#"{"names":{"x":{"u":"U"},"y":{"u":"V"}},"words":{"y":{"p":"P"},"z":{"p":"Q"}}}"#);
    let found = found.expect("readable").expect("credential");
    assert_eq!(found.metadata.host.as_deref(), Some("y"));
    assert_eq!(found.credential, Credential::Basic { username: "V".into(), password: "P".into() });
    assert_eq!(read(r#"{"names":{"x":{"u":"U"}},"words":{"z":{"p":"Q"}}}"#).expect("readable"), None);
}

#[test]
fn read_of_several_logins_names_their_keys() {
    let map = "[{file: a, format: yaml, kind: token, fields: {token: /*/t}}]";
    let error = Login::with("a", "one.host: {t: T}\n\"tw\\e[31mo\": {t: U}\nthree: {u: x}\n").read(map);
    let error = error.expect_err("ambiguous");
    assert!(matches!(&error, CaptureError::Ambiguous { logins, .. } if logins.len() == 2));
    assert_eq!(error.to_string(), "a holds several logins: one.host, tw\\u{1b}[31mo");
}

#[test]
fn values_converted_as_json_survive_a_round_trip() {
    let map = "
- file: a
  format: json
  kind: fields
  fields: {extra: {one: /one, list: {path: /list, as: json}, yes: {path: /yes, as: json}}}
";
    let login = Login::with("a", r#"{"one":"1","list":[1,{"b":null}],"yes":true}"#);
    let found = login.captured(map);
    let new = Login::new();
    new.write(map, &found).expect("written");
    assert_eq!(new.captured(map), found);
    let value: Value = serde_json::from_str(&new.text("a")).expect("JSON");
    assert_eq!(value["list"], serde_json::json!([1, {"b": null}]));
}

#[test]
fn map_that_breaks_a_rule_is_refused_by_check_and_read() {
    for (entry, problem) in [
        ("{file: /etc/passwd, format: json, kind: token, fields: {token: /t}}", "relative path"),
        ("{file: a/../../b, format: json, kind: token, fields: {token: /t}}", "relative path"),
        ("{file: ./a, format: json, kind: token, fields: {token: /t}}", "relative path"),
        ("{file: '', format: json, kind: token, fields: {token: /t}}", "relative path"),
        ("{file: a, format: json, kind: token, fields: {}}", "needs `token`"),
        ("{file: a, format: json, kind: fields, fields: {}}", "needs `extra`"),
        ("{file: a, format: json, kind: token, fields: {token: t}}", "starts with"),
        ("{file: a, format: json, kind: token, fields: {token: /t}, when: {/*/type: x}}", "more `*`"),
        ("{file: a, format: json, kind: token, fields: {token: {path: /t, file: b}}}", "another file"),
        ("{file: a, format: json, kind: token, fields: {token: {path: /t, pattern: x}}}", "group"),
        ("{file: a, format: json, kind: token, fields: {token: /t}, provider: '*'}", "no path has a `*`"),
        (
            "{file: a, format: json, kind: token, fields: {token: /t}, active: {account: /u}}",
            "no path has a `*`",
        ),
        ("{file: a, format: json, kind: token, fields: {token: /t}, keep: ''}", "kind oauth"),
        (
            "{file: a, format: json, kind: token, fields: {token: /t}, when: {/x: 1}, defaults: {/x: 1}}",
            "also in",
        ),
        ("{file: a, format: json, kind: token, fields: {token: []}}", "empty"),
        ("{file: a, format: json, kind: token, fields: {token: /t, key: /k}}", "not a part"),
        ("{file: a, format: json, kind: token, fields: {token: {path: /t, as: rfc3339}}}", "conversion"),
        ("{file: a, format: json, kind: token, fields: {token: /t, expires_at: /e}}", "conversion"),
        ("{file: a, format: json, kind: token, fields: {token: /t, host: {path: /h, as: key}}}", "`*`"),
        (
            "{file: a, format: json, kind: token, fields: {token: /t, account: {path: /t, as: jwt_claim}}}",
            "claim",
        ),
    ] {
        let entries = entries(&format!("[{entry}]"));
        let error = entries[0].check().expect_err(entry).to_string();
        assert!(error.contains(problem), "{entry}: {error}");
        let login = Login::new();
        assert_eq!(read(login.path(), &entries, &Choice::default()).expect_err(entry).to_string(), error);
    }
}
