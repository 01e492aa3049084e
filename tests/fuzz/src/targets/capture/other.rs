//! Another login than the one in a file, and the file seen by other eyes than ours.

use super::*;

/// A login with every part that the map has, none of which may be in any input.
pub fn login(entry: &CaptureEntry) -> (Credential, Metadata) {
    let fields = &entry.fields;
    let token = |name: &str| Secret::new(format!("0ther-{name}-9f8e7d6c"));
    let given = |path: &Option<FieldPath>, name: &str| path.as_ref().map(|_| token(name));
    let extra =
        fields.extra.iter().filter_map(|(name, path)| match path.first().and_then(|place| place.convert) {
            None => Some((name.clone(), token(name))),
            Some(Convert::Json) => Some((name.clone(), Secret::new(r#"{"n":[1,null,"x"]}"#))),
            Some(Convert::Key) => Some((name.clone(), Secret::new("other.example"))),
            Some(_) => None,
        });
    let extra = extra.collect();
    let credential = match entry.kind {
        Kind::ApiKey => Credential::ApiKey { key: token("key") },
        Kind::Token => Credential::Token { token: token("token") },
        Kind::Basic => Credential::Basic { username: "0ther-user".into(), password: token("password") },
        Kind::Fields => Credential::Fields(extra),
        Kind::Oauth => Credential::OAuth(OAuth {
            access_token: token("access"),
            refresh_token: given(&fields.refresh_token, "refresh"),
            id_token: given(&fields.id_token, "id"),
            extra,
        }),
    };
    let metadata = Metadata {
        account: Some("other@example.com".into()),
        host: Some("other.example".into()),
        scopes: vec!["read".into(), "write".into()],
        expires_at: Timestamp::from_second(1_900_000_000).ok(),
        ..Metadata::default()
    };
    (credential, metadata)
}

/// Without what the map puts in by itself where it is absent.
pub fn without_defaults(entry: &CaptureEntry, captured: &Captured) -> Captured {
    let mut captured = captured.clone();
    let is_default = |name: &String| {
        let path = entry.fields.extra.get(name);
        path.is_some_and(|path| path.iter().any(|place| entry.defaults.contains_key(&place.path)))
    };
    if let Credential::OAuth(OAuth { extra, .. }) | Credential::Fields(extra) = &mut captured.credential {
        extra.retain(|name, _| !is_default(name));
    }
    captured
}

/// The credential without the values that its map does not name.
pub fn without_kept(credential: &Credential) -> Credential {
    let mut credential = credential.clone();
    if let Credential::OAuth(OAuth { extra, .. }) = &mut credential {
        extra.remove("login.kept");
    }
    credential
}

/// The file as others read it; `None` where they do not.
pub fn tree(format: Format, content: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(content).ok()?;
    match format {
        Format::Json => {
            let comment = |line: &&str| line.trim_start().starts_with("//");
            let comment: usize = text.split_inclusive('\n').take_while(comment).map(str::len).sum();
            serde_json::from_str(&text[comment..]).ok()
        }
        Format::Yaml => {
            // As YAML 1.2 has it: `yes` is a text.
            let options = serde_yaml::options! { strict_booleans: true };
            serde_yaml::from_str_with_options(text, options).ok()
        }
        Format::Toml => Some(table(text.parse::<toml_edit::DocumentMut>().ok()?.as_table())),
        Format::Dotenv => lines(text),
    }
}

fn table(table: &dyn toml_edit::TableLike) -> Value {
    table.iter().map(|(key, item)| (key.to_owned(), toml(item))).collect::<serde_json::Map<_, _>>().into()
}

/// Values as they are written, without the layout around them.
fn toml(item: &toml_edit::Item) -> Value {
    if let Some(like) = item.as_table_like() {
        return table(like);
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|one| table(one)).collect();
    }
    item.to_string().trim().into()
}

/// Lines by what they set. Files with quotes are not looked at: theirs may go on in the next line.
fn lines(text: &str) -> Option<Value> {
    if text.contains(['\'', '"']) {
        return None;
    }
    let mut map = serde_json::Map::new();
    let mut others = 0;
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        match line.split_once('=') {
            Some((name, value)) => {
                let name = name.trim().trim_start_matches("export").trim();
                map.insert(name.to_owned(), value.trim().into());
            }
            None if line.trim().is_empty() => {}
            None => {
                others += 1;
                map.insert(format!("{others}: {line}"), Value::Bool(true));
            }
        }
    }
    Some(map.into())
}

/// Takes away what is at a path, in which `*` is any key.
pub fn strip(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    match value {
        Value::Object(map) if *first == "*" && rest.is_empty() => map.clear(),
        Value::Object(map) if *first == "*" => map.values_mut().for_each(|value| strip(value, rest)),
        Value::Object(map) if rest.is_empty() => drop(map.shift_remove(*first)),
        Value::Object(map) => {
            if let Some(value) = map.get_mut(*first) {
                strip(value, rest);
            }
        }
        Value::Array(items) => {
            if let Some(value) = first.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                strip(value, rest);
            }
        }
        _ => {}
    }
}

/// Without nulls and maps that hold nothing: they are made and filled on the way to a path.
pub fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, without_empty(value)));
            let kept: serde_json::Map<_, _> = kept.filter(|(_, value)| !value.is_null()).collect();
            if kept.is_empty() { Value::Null } else { kept.into() }
        }
        value => value,
    }
}
