//! TOML files. Edits keep comments, order and layout.

use serde_json::{Map, Number, Value};
use toml_edit::{Array, Datetime, DocumentMut, InlineTable, Item, Table, TableLike, Value as TomlValue};
use zeroize::Zeroizing;

use super::document::{Document, ErrorPosition, NOT_A_MAP, UnsupportedEdit, View};

/// A TOML document.
pub(super) struct Tree(DocumentMut);

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Self, ErrorPosition> {
        text.parse().map(Self).map_err(|error: toml_edit::TomlError| {
            let before = text.get(..error.span()?.start)?;
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
        })
    }
}

impl Document for Tree {
    fn view(&self) -> View {
        View(table_view(self.0.as_table()))
    }

    fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        let (last, above) = path.split_last().ok_or(NOT_A_MAP)?;
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        for segment in above {
            let item = table.entry(segment).or_insert_with(|| {
                let mut made = Table::new();
                made.set_implicit(true);
                Item::Table(made)
            });
            table = item.as_table_like_mut().ok_or(NOT_A_MAP)?;
        }
        let item = table.entry(last).or_insert(Item::None);
        let old = item.as_value();
        let was_datetime = old.is_some_and(TomlValue::is_datetime);
        let decor = old.map(|old| old.decor().clone());
        let mut new = to_toml(value, was_datetime)?;
        if let Some(decor) = decor {
            *new.decor_mut() = decor;
        }
        *item = Item::Value(new);
        Ok(())
    }

    fn remove(&mut self, path: &[String]) {
        let Some((last, above)) = path.split_last() else { return };
        let root: &mut dyn TableLike = self.0.as_table_mut();
        let table = above
            .iter()
            .try_fold(root, |table, segment| table.get_mut(segment).and_then(Item::as_table_like_mut));
        if let Some(table) = table {
            table.remove(last);
        }
    }

    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        Ok(Zeroizing::new(self.0.to_string()))
    }
}

fn table_view(table: &dyn TableLike) -> Value {
    table.iter().map(|(key, item)| (key.to_owned(), item_view(item))).collect::<Map<_, _>>().into()
}

fn item_view(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_view(value),
        Item::Table(table) => table_view(table),
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| table_view(table)).collect::<Vec<_>>().into()
        }
    }
}

fn value_view(value: &TomlValue) -> Value {
    match value {
        TomlValue::String(text) => text.value().as_str().into(),
        TomlValue::Integer(number) => (*number.value()).into(),
        TomlValue::Float(number) => Number::from_f64(*number.value()).map_or(Value::Null, Value::Number),
        TomlValue::Boolean(yes) => (*yes.value()).into(),
        TomlValue::Datetime(time) => time.value().to_string().into(),
        TomlValue::Array(items) => items.iter().map(value_view).collect::<Vec<_>>().into(),
        TomlValue::InlineTable(table) => table_view(table),
    }
}

fn to_toml(value: Value, as_datetime: bool) -> Result<TomlValue, UnsupportedEdit> {
    Ok(match value {
        Value::Null => return Err("TOML has no null"),
        Value::Bool(yes) => yes.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) if !number.is_nan() => number.into(),
            _ => return Err("TOML cannot hold this number"),
        },
        Value::String(text) => match text.parse::<Datetime>() {
            Ok(time) if as_datetime && time.to_string() == text => time.into(),
            _ => text.into(),
        },
        Value::Array(items) => {
            items.into_iter().map(|item| to_toml(item, false)).collect::<Result<Array, _>>()?.into()
        }
        Value::Object(map) => {
            let pairs = map.into_iter().map(|(key, value)| Ok((key, to_toml(value, false)?)));
            pairs.collect::<Result<InlineTable, UnsupportedEdit>>()?.into()
        }
    })
}
