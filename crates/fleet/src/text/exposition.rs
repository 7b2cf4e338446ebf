//! A line of Prometheus' text format (exposition formats, version 0.0.4): a sample. Pure; lines are cut elsewhere.

/// Values from here on are what DCGM writes where there is none (`DCGM_INT64_BLANK` and the like).
const BLANK: f64 = 9.2e18;
/// The same of 32 bits.
const BLANK_32: f64 = 2_147_483_632.0;

/// So many labels of a sample are kept; exporters write a dozen.
const LABELS_MAX: usize = 64;

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The metric.
    pub name: &'a str,
    /// Its labels, with whatever a backslash hides left as it is.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Its value, which may be infinite or no number.
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// Of a line that is no comment; nothing where it is no sample.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let end = line.find(|letter: char| letter == '{' || letter.is_whitespace())?;
        let (name, rest) = line.split_at(end);
        let mut labels = Vec::new();
        let rest = match rest.strip_prefix('{') {
            None => rest,
            Some(mut inner) => loop {
                inner = inner.trim_start_matches([',', ' ']);
                if let Some(after) = inner.strip_prefix('}') {
                    break after;
                }
                let (key, value) = inner.split_once("=\"")?;
                let end = end_of_value(value)?;
                if labels.len() < LABELS_MAX {
                    labels.push((key.trim(), &value[..end]));
                }
                inner = &value[end + 1..];
            },
        };
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let value = match rest.split_whitespace().next()? {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            "NaN" => f64::NAN,
            digits => digits.parse().ok()?,
        };
        Some(Self { name, labels, value })
    }

    /// The first of these labels that it has.
    #[must_use]
    pub fn label(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.labels.iter().find(|(label, _)| label == key)).map(|(_, value)| *value)
    }

    /// Its value, as DCGM means it: nothing where it writes that there is none.
    #[must_use]
    pub fn value_of_dcgm(&self) -> Option<f64> {
        let value = self.value;
        let is_there = value.is_finite() && value < BLANK && !(BLANK_32..BLANK_32 + 16.0).contains(&value);
        is_there.then_some(value)
    }
}

/// Where a quoted value ends; a backslash takes the meaning from what follows.
fn end_of_value(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read() {
        let sample = Sample::parse(r#" a_b{c="d", e="f\"}"} 1.5 1700000000000"#).unwrap();
        assert_eq!((sample.name, sample.value), ("a_b", 1.5));
        assert_eq!(sample.label(&["x", "e"]), Some(r#"f\"}"#));
        assert_eq!(Sample::parse("up 1").unwrap().labels, []);
        assert!(Sample::parse("up +Inf").unwrap().value.is_infinite());
        for line in ["", "up", "up one", "a-b 1", r#"a{b="c} 1"#, "{} 1"] {
            assert_eq!(Sample::parse(line), None, "{line}");
        }
    }

    #[test]
    fn what_dcgm_leaves_blank_is_unknown() {
        for (line, expected) in [
            ("a 7", Some(7.0)),
            ("a 9223372036854775794", None),
            ("a 2147483632", None),
            ("a 2147483700", Some(2_147_483_700.0)),
            ("a NaN", None),
        ] {
            assert_eq!(Sample::parse(line).unwrap().value_of_dcgm(), expected, "{line}");
        }
    }
}
