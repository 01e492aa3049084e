//! Content of an existing file that a write must keep.

use super::*;

fn after_write(format: &str, text: &str, path: &str) -> String {
    let map = format!("[{{file: a, format: {format}, kind: token, fields: {{token: {path}}}}}]");
    let login = Login::with("a", text);
    let new = super::captured(Credential::Token { token: "T".into() });
    login.write(&map, &new).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(login.captured(&map).credential, new.credential);
    login.text("a")
}

#[test]
fn json_write_keeps_spelling_order_and_indentation() {
    for (text, expected) in [
        (
            "{\n    \"b\": 1e400,\n    \"a\": [],\n    \"t\": \"old\"\n}\n",
            "{\n    \"b\": 1e400,\n    \"a\": [],\n    \"t\": \"T\"\n}\n",
        ),
        (
            r#"{"n":-0.0,"b":123456789012345678901234567890,"c":"\u00e9\/"}"#,
            r#"{"n":-0.0,"b":123456789012345678901234567890,"c":"\u00e9\/","t":"T"}"#,
        ),
        (r#"{"f":0.1000,"g":1E5,"t":null}"#, r#"{"f":0.1000,"g":1E5,"t":"T"}"#),
        ("{}", r#"{"t":"T"}"#),
        ("", "{\n  \"t\": \"T\"\n}\n"),
    ] {
        assert_eq!(after_write("json", text, "/t"), expected);
    }
    assert_eq!(
        after_write("json", r#"{"a":null,"l":[{"x":1}]}"#, "/a/b/c"),
        r#"{"a":{"b":{"c":"T"}},"l":[{"x":1}]}"#
    );
    assert_eq!(after_write("json", r#"{"l":[{"x":1}]}"#, "/l/0/t"), r#"{"l":[{"x":1,"t":"T"}]}"#);
}

#[test]
fn yaml_write_keeps_values_and_order() {
    let tricky = r#"yes: "yes"
number text: "0123"
float text: "1.10"
null text: "null"
date: "2024-01-01"
empty: ""
space: " x "
hash: "a # b"
colon: "a: b"
dash: "- a"
lines: "a\nb\n"
long: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxx"
control: "\e\t"
big: 18446744073709551615
less: -9223372036854775808
float: 1.5
none: ~
no list: []
no map: {}
list: [1, [2, {a: b}], ~]
"1": one
"#;
    let before: Value = serde_yaml::from_str(tricky).expect("YAML");
    let text = after_write("yaml", tricky, "/t");
    let mut after: Value = serde_yaml::from_str(&text).expect("YAML");
    assert_eq!(after.as_object_mut().and_then(|map| map.shift_remove("t")), Some("T".into()));
    assert_eq!(after, before, "{text}");
    let keys = |value: &Value| value.as_object().expect("map").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&after), keys(&before));
}

#[test]
fn toml_write_keeps_comments_and_layout() {
    assert_eq!(after_write("toml", "# c\na = 1 # d\n", "/x/y/t"), "# c\na = 1 # d\n\n[x.y]\nt = \"T\"\n");
    assert_eq!(after_write("toml", "x = { a = 1 } # c\n", "/x/t"), "x = { a = 1 , t = \"T\" } # c\n");
    assert_eq!(
        after_write("toml", "[x]\n# c\n\n[y] # d\nz = 1\n", "/x/t"),
        "[x]\nt = \"T\"\n# c\n\n[y] # d\nz = 1\n"
    );
    assert_eq!(after_write("toml", "x.y = 1\n", "/x/t"), "x.y = 1\nx.t = \"T\"\n");
}

#[test]
fn dotenv_write_keeps_every_other_line() {
    for (text, expected) in [
        ("", "T=T\n"),
        ("# c\n\n A = 'x'", "# c\n\n A = 'x'\nT=T\n"),
        ("T=old # c\nB=\"multi\nT=inner\n\"\n", "T=T # c\nB=\"multi\nT=inner\n\"\n"),
        ("export T='old'\r\nB\n=x\n", "export T=T\r\nB\n=x\n"),
        ("#T=old\nT=\n", "#T=old\nT=T\n"),
        ("T='old'x\r\nB=1\n", "T=T\r\nB=1\n"),
        ("T='old'# no comment\nB=1\n", "T=T\nB=1\n"),
    ] {
        assert_eq!(after_write("dotenv", text, "/T"), expected);
    }
}

#[test]
fn dotenv_values_survive_a_round_trip() {
    let map =
        "[{file: a, format: dotenv, kind: fields, fields: {extra: {v: /V, w: {path: /W, optional: true}}}}]";
    for value in [
        "a b",
        "a'b",
        "a\"b$c\\d",
        "'",
        "x # y",
        "#",
        " x ",
        "a\nb\r\n",
        "\u{e9}",
        "a=b",
        "$HOME",
        "`id`",
        "\\n",
    ] {
        let fields = BTreeMap::from([("v".to_owned(), value.into()), ("w".to_owned(), "W".into())]);
        let new = super::captured(Credential::Fields(fields));
        let login = Login::new();
        login.write(map, &new).expect(value);
        assert_eq!(login.captured(map).credential, new.credential, "{}", login.text("a"));
    }
}

#[test]
fn write_of_a_value_that_does_not_fit_changes_nothing() {
    for (format, text, path) in [
        ("json", r#"{"a":"text"}"#, "/a/t"),
        ("json", "[1]", "/t"),
        ("yaml", "a: text\n", "/a/t"),
        ("yaml", "- 1\n", "/t"),
        ("toml", "a = 1\n", "/a/t"),
        ("dotenv", "A=1\n", "/a/t"),
        ("dotenv", "A=1\n", "/a b"),
    ] {
        let map = format!("[{{file: a, format: {format}, kind: token, fields: {{token: {path}}}}}]");
        let login = Login::with("a", text);
        let error =
            login.write(&map, &super::captured(Credential::Token { token: "T".into() })).expect_err(text);
        assert!(matches!(error, CaptureError::Unwritable { .. }), "{error}");
        assert_eq!(login.text("a"), text);
        assert_eq!(login.files(), ["a"]);
    }
}
