//! Where each part of a workload comes from, once the table's columns are known.

use std::collections::BTreeMap;

use fleet::text::shown;
use fleet::text::table::Fields;

use super::mapping::{Field, Mapping};
use super::value::{MemoryUnit, TimeFormat, TimeUnit};

/// Everything a mapping can name, and what kind of value it is.
pub(super) const PARTS: [(&str, Kind); 27] = [
    ("id", Kind::Text),
    ("queue", Kind::Text),
    ("user", Kind::Text),
    ("name", Kind::Text),
    ("account", Kind::Text),
    ("array", Kind::Text),
    ("depends_on", Kind::List),
    ("pools", Kind::List),
    ("models", Kind::List),
    ("nodes", Kind::List),
    ("submit", Kind::Moment),
    ("eligible", Kind::Moment),
    ("start", Kind::Moment),
    ("end", Kind::Moment),
    ("withdrawn", Kind::Moment),
    ("wait", Kind::Length),
    ("run", Kind::Length),
    ("time_limit", Kind::Length),
    ("checkpoint_every", Kind::Length),
    ("cpu_used", Kind::Length),
    ("device_busy", Kind::Length),
    ("tasks", Kind::Number),
    ("devices", Kind::Number),
    ("cores", Kind::Number),
    ("priority", Kind::Number),
    ("memory", Kind::Memory),
    ("memory_used", Kind::Memory),
];

/// Parts whose values are words of a closed list.
pub(super) const WORDS: [&str; 2] = ["cause", "spread"];

/// What kind of value a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    List,
    Moment,
    Length,
    Number,
    Memory,
    Word,
}

/// Where the parts come from.
#[derive(Debug)]
pub(super) struct Sources(BTreeMap<String, Source>);

/// Where one part comes from.
#[derive(Debug)]
pub(super) struct Source {
    place: Place,
    pub(super) field: Field,
    pub(super) time_unit: TimeUnit,
    pub(super) memory_unit: MemoryUnit,
    pub(super) time_format: TimeFormat,
}

#[derive(Debug)]
enum Place {
    Column(usize),
    Value(String),
}

impl Sources {
    /// Finds the columns that the mapping names.
    pub(super) fn find(mapping: &Mapping, columns: &[String]) -> Result<Self, String> {
        let mut sources = BTreeMap::new();
        for (part, field) in &mapping.columns {
            let source = Source::find(part, field, mapping, columns)
                .map_err(|reason| format!("the mapping's columns.{part} cannot be used: {reason}"))?;
            sources.insert(part.clone(), source);
        }
        if !sources.contains_key("submit") {
            return Err("the mapping has no columns.submit; expected the column of the time of submission".into());
        }
        Ok(Self(sources))
    }

    pub(super) fn get(&self, part: &str) -> Option<&Source> {
        self.0.get(part)
    }

    /// Whether rows have ids of their own.
    pub(super) fn has_ids(&self) -> bool {
        self.0.contains_key("id")
    }
}

impl Source {
    fn find(part: &str, field: &Field, mapping: &Mapping, columns: &[String]) -> Result<Self, String> {
        let kind = kind(part).ok_or_else(|| {
            let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).chain(WORDS).collect();
            format!("it is not known; expected one of {}", known.join(", "))
        })?;
        let place = match (&field.column, &field.value) {
            (_, Some(value)) => Place::Value(value.clone()),
            (Some(name), None) => {
                let place = columns.iter().position(|column| column == name);
                Place::Column(
                    place
                        .ok_or_else(|| format!("there is no column `{name}`; found {}", shown(&columns.join(", "))))?,
                )
            }
            (None, None) => return Err("it names neither a column nor a value".into()),
        };
        let given = [
            ("unit", field.unit.is_some(), matches!(kind, Kind::Length | Kind::Memory)),
            ("format", field.format.is_some(), kind == Kind::Moment),
            ("split", field.split.is_some(), kind == Kind::List),
            ("map", !field.map.is_empty(), matches!(kind, Kind::Word | Kind::Text)),
            ("other", field.other.is_some(), kind == Kind::Word),
        ];
        if let Some((option, ..)) = given.iter().find(|(_, given, fits)| *given && !fits) {
            return Err(format!("`{option}` means nothing there"));
        }
        let unit = field.unit.as_deref();
        Ok(Self {
            place,
            field: field.clone(),
            time_unit: if kind == Kind::Length { TimeUnit::parse(unit.unwrap_or("s"))? } else { TimeUnit::SECOND },
            memory_unit: if kind == Kind::Memory { MemoryUnit::parse(unit.unwrap_or("B"))? } else { MemoryUnit::BYTE },
            time_format: TimeFormat::parse(field.format.as_deref().unwrap_or(&mapping.time_format)),
        })
    }

    /// The text of a row, or the constant.
    pub(super) fn text<'a>(&'a self, fields: Fields<'a>) -> &'a str {
        match &self.place {
            Place::Column(column) => fields.get(*column),
            Place::Value(value) => value,
        }
    }
}

fn kind(part: &str) -> Option<Kind> {
    let word = WORDS.contains(&part).then_some(Kind::Word);
    PARTS.iter().find(|(name, _)| *name == part).map(|(_, kind)| *kind).or(word)
}
