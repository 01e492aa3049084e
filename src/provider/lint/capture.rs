//! Rules for the capture map.

use super::{Findings, form};
use crate::{
    credential::Kind,
    provider::capture_map::{CaptureEntry, Convert, FieldMap, FieldPath},
};

impl Findings {
    pub(super) fn capture(&mut self, index: usize, entry: &CaptureEntry) {
        let place = format!("capture[{index}]");
        let fields = format!("{place}.fields");
        self.check(&format!("{place}.file"), form::relative_file(&entry.file));
        self.check(&fields, entry.check().map_err(|error| error.to_string()));
        for field in missing(entry) {
            self.add(&fields, format!("kind {} needs `{field}`", entry.kind));
        }
        for (name, field) in all_fields(&entry.fields) {
            self.field(&format!("{fields}.{name}"), field);
        }
        for path in entry.defaults.keys() {
            self.check(&format!("{place}.defaults"), form::pointer(path));
        }
    }

    fn field(&mut self, place: &str, field: &FieldPath) {
        self.check(place, form::pointer(&field.path));
        match (field.convert, &field.claim) {
            (Some(Convert::JwtClaim), None) => self.add(place, "as: jwt_claim needs `claim`"),
            (Some(Convert::JwtClaim), Some(claim)) => self.check(place, form::pointer(claim)),
            (_, Some(_)) => self.add(place, "`claim` needs as: jwt_claim"),
            (Some(Convert::Key), None) if !field.path.ends_with("/*") => {
                self.add(place, "as: key needs a path that ends in `*`");
            }
            _ => {}
        }
    }
}

/// The fields that the entry's kind requires and the entry does not have.
fn missing(entry: &CaptureEntry) -> Vec<&'static str> {
    let fields = &entry.fields;
    let required = match entry.kind {
        Kind::ApiKey => vec![("key", fields.key.is_none())],
        Kind::Oauth => vec![("access_token", fields.access_token.is_none())],
        Kind::Token => vec![("token", fields.token.is_none())],
        Kind::Basic => vec![("username", fields.username.is_none()), ("password", fields.password.is_none())],
        Kind::Fields => vec![("extra", fields.extra.is_empty())],
    };
    required.into_iter().filter(|(_, missing)| *missing).map(|(field, _)| field).collect()
}

fn all_fields(map: &FieldMap) -> impl Iterator<Item = (String, &FieldPath)> {
    let named = [
        ("key", &map.key),
        ("access_token", &map.access_token),
        ("refresh_token", &map.refresh_token),
        ("id_token", &map.id_token),
        ("token", &map.token),
        ("username", &map.username),
        ("password", &map.password),
        ("expires_at", &map.expires_at),
        ("account", &map.account),
        ("host", &map.host),
        ("scopes", &map.scopes),
    ];
    let named = named.into_iter().filter_map(|(name, field)| Some((name.to_owned(), field.as_ref()?)));
    named.chain(map.extra.iter().map(|(name, field)| (format!("extra.{name}"), field)))
}
