//! The mapping: which column is what, in TOML.

use std::collections::BTreeMap;
use std::fmt;

use fleet::problem::Problem;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Which column of a table is what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The format's version, 1.
    pub version: u32,
    /// What the history says it comes from; absent: `csv`.
    pub source: Option<String>,
    /// What stands between fields: one ASCII character.
    #[serde(default = "comma")]
    pub delimiter: String,
    /// The zone of times that name none; absent: UTC.
    pub time_zone: Option<String>,
    /// How times are written: `iso`, `epoch_s`, `epoch_ms`, or a pattern such as `%d/%m/%Y %H:%M`.
    #[serde(default = "iso")]
    pub time_format: String,
    /// Values that stand for unknown, besides nothing at all.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// What whoever reads the history should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What each part of a workload is read from.
    pub columns: BTreeMap<String, Field>,
}

/// What one part of a workload is read from: a column's name, or a table that says more.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// The column.
    pub column: Option<String>,
    /// The same for every row, instead of a column.
    pub value: Option<String>,
    /// The unit of a length (`ms`, `s`, `min`, `h`, `d`) or an amount of memory (`B`, `KB`, `KiB`, ... `TiB`).
    pub unit: Option<String>,
    /// How a time is written, where it differs from the mapping's `time_format`.
    pub format: Option<String>,
    /// Whether an amount is for one task or the whole job.
    pub per: Per,
    /// What stands between the entries of a list.
    pub split: Option<String>,
    /// Values and what they mean.
    pub map: BTreeMap<String, String>,
    /// What a value means that `map` does not have.
    pub other: Option<String>,
}

/// What an amount is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each task.
    #[default]
    Task,
    /// All tasks together.
    Job,
}

impl Mapping {
    /// The version this code reads.
    pub const VERSION: u32 = 1;

    /// Reads a mapping and checks that it means something. `file` is the name that errors give.
    ///
    /// # Errors
    /// If it is no TOML, has unknown fields, or contradicts itself.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problem> {
        let problem = |line, field, reason| Problem { file: file.to_owned(), line, field, reason };
        let mapping: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| {
                1 + text.as_bytes()[..span.start.min(text.len())].iter().filter(|&&b| b == b'\n').count() as u64
            });
            problem(line, None, error.message().to_owned())
        })?;
        mapping.check().map_err(|(field, reason)| problem(0, Some(field), reason))?;
        Ok(mapping)
    }

    /// What stands between fields.
    #[must_use]
    pub fn delimiter_byte(&self) -> u8 {
        self.delimiter.as_bytes().first().copied().unwrap_or(b',')
    }

    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, reason: String| Err((field.to_owned(), reason));
        if self.version != Self::VERSION {
            return wrong("version", format!("{} is not known; expected {}", self.version, Self::VERSION));
        }
        let [delimiter] = self.delimiter.as_bytes() else {
            return wrong("delimiter", format!("`{}` is not one ASCII character", self.delimiter));
        };
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return wrong("delimiter", "a quotation mark or an end of line cannot stand between fields".into());
        }
        for (name, field) in &self.columns {
            let name = format!("columns.{name}");
            match (&field.column, &field.value) {
                (Some(_), Some(_)) => return wrong(&name, "both `column` and `value`; expected one of them".into()),
                (None, None) => return wrong(&name, "neither `column` nor `value`; expected one of them".into()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn comma() -> String {
    ",".into()
}

fn iso() -> String {
    "iso".into()
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

/// A string is a column's name; a table says more. (An untagged enum would do, and answer every slip with "did not match
/// any variant".)
struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name, or a table such as { column = \"run\", unit = \"s\" }")
    }

    fn visit_str<E: serde::de::Error>(self, column: &str) -> Result<Field, E> {
        Ok(Field { column: Some(column.to_owned()), ..Field::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            column: Option<String>,
            value: Option<Scalar>,
            unit: Option<String>,
            format: Option<String>,
            #[serde(default)]
            per: Per,
            split: Option<String>,
            #[serde(default)]
            map: BTreeMap<String, String>,
            other: Option<String>,
        }
        let Written { column, value, unit, format, per, split, map, other } =
            Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Field { column, value: value.map(|value| value.0), unit, format, per, split, map, other })
    }
}

/// A string or a number, as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}
