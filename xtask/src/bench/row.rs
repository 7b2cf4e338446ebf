//! A figure beside the bar it is held to.

use std::fmt::{self, Display};

use serde::Serialize;

/// What a figure is held to. The bounds themselves are good enough, but for `Below` and `Above`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(dead_code, reason = "the list is complete; a bar uses what it needs")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
    Above(f64),
    Between(f64, f64),
    /// To be known, not held to anything.
    Stated,
}

impl Target {
    /// Whether a figure reaches it. What is not a number reaches nothing but `Stated`.
    fn reached_by(self, measured: f64) -> bool {
        match self {
            Self::AtMost(bound) => measured <= bound,
            Self::AtLeast(bound) => measured >= bound,
            Self::Below(bound) => measured < bound,
            Self::Above(bound) => measured > bound,
            Self::Between(low, high) => (low..=high).contains(&measured),
            Self::Stated => true,
        }
    }

    fn words(self, unit: &str) -> String {
        let words = match self {
            Self::AtMost(bound) => format!("<= {bound} {unit}"),
            Self::AtLeast(bound) => format!(">= {bound} {unit}"),
            Self::Below(bound) => format!("< {bound} {unit}"),
            Self::Above(bound) => format!("> {bound} {unit}"),
            Self::Between(low, high) => format!("{low} to {high} {unit}"),
            Self::Stated => format!("stated {unit}"),
        };
        words.trim_end().to_owned()
    }
}

/// A bar, a case it was measured on, and what came out. As JSON: `{"bar", "case", "measured", "target", "pass"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    bar: u32,
    case: String,
    measured: f64,
    target: String,
    pass: bool,
    /// Part of `target`'s words already.
    #[serde(skip)]
    unit: &'static str,
}

impl Row {
    /// `measured` and the target's bounds are in `unit`, which is empty for ratios.
    pub(crate) fn new(bar: u32, case: impl Into<String>, measured: f64, target: Target, unit: &'static str) -> Self {
        Self { bar, case: case.into(), measured, target: target.words(unit), pass: target.reached_by(measured), unit }
    }

    /// Whether the figure reaches its target.
    pub(crate) fn pass(&self) -> bool {
        self.pass
    }

    /// The figure in four significant digits, whole numbers whole.
    fn measured_words(&self) -> String {
        let magnitude = if self.measured == 0.0 { 0.0 } else { self.measured.abs().log10().floor() };
        let decimals = if self.measured.fract() == 0.0 { 0 } else { (3.0 - magnitude).clamp(0.0, 9.0) as usize };
        format!("{:.decimals$} {}", self.measured, self.unit).trim_end().to_owned()
    }

    fn cells(&self) -> [String; 5] {
        let pass = if self.pass { "yes" } else { "NO" };
        [self.bar.to_string(), self.case.clone(), self.measured_words(), self.target.clone(), pass.to_owned()]
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bar, case, measured, target, pass] = self.cells();
        write!(f, "bar {bar}, {case}: {measured} (target {target}: {pass})")
    }
}

/// Rows as a table that reads as text and as Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = ["bar", "case", "measured", "target", "pass"].map(str::to_owned);
    let body: Vec<[String; 5]> = rows.iter().map(Row::cells).collect();
    let mut widths = head.each_ref().map(|cell| cell.chars().count());
    for cells in &body {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }

    let mut text = String::new();
    let mut line = |cells: [&str; 5]| {
        for (cell, width) in cells.iter().zip(widths) {
            text.push_str(&format!("| {cell:<width$} "));
        }
        text.push_str("|\n");
    };
    line(head.each_ref().map(String::as_str));
    let rules = widths.map(|width| "-".repeat(width));
    line(rules.each_ref().map(String::as_str));
    for cells in &body {
        line(cells.each_ref().map(String::as_str));
    }
    text
}

/// Rows as JSON, one a line.
pub(crate) fn json_lines(rows: &[Row]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).expect("a row is plain data") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_at_its_bound() {
        for (target, reached, missed) in [
            (Target::AtMost(2.0), 2.0, 2.1),
            (Target::AtLeast(0.2), 0.2, 0.1),
            (Target::Below(1.0), 0.9, 1.0),
            (Target::Above(1.0), 1.1, 1.0),
            (Target::Between(0.75, 0.85), 0.85, 0.86),
        ] {
            assert!(Row::new(1, "a", reached, target, "").pass(), "{target:?}");
            assert!(!Row::new(1, "a", missed, target, "").pass(), "{target:?}");
            assert!(!Row::new(1, "a", f64::NAN, target, "").pass(), "{target:?}");
        }
    }

    #[test]
    fn a_row_is_a_line_of_json() {
        let rows = [Row::new(6, "552 nodes", 1.25, Target::AtMost(2.0), "s")];
        assert_eq!(
            json_lines(&rows),
            "{\"bar\":6,\"case\":\"552 nodes\",\"measured\":1.25,\"target\":\"<= 2 s\",\"pass\":true}\n"
        );
    }

    #[test]
    fn figures_are_told_in_four_digits() {
        for (measured, words) in [
            (0.0, "0"),
            (82_247.0, "82247"),
            (1_234.56, "1235"),
            (12.345_67, "12.35"),
            (-0.000_123_456, "-0.0001235"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(Row::new(1, "a", measured, Target::Stated, "").measured_words(), words);
        }
    }

    #[test]
    fn the_table_is_aligned() {
        let rows = [
            Row::new(6, "552 nodes", 1.234_56, Target::AtMost(2.0), "s"),
            Row::new(7, "decide", 123.456, Target::AtMost(100.0), "ms"),
        ];
        let expected = "\
| bar | case      | measured | target    | pass |
| --- | --------- | -------- | --------- | ---- |
| 6   | 552 nodes | 1.235 s  | <= 2 s    | yes  |
| 7   | decide    | 123.5 ms | <= 100 ms | NO   |
";
        assert_eq!(table(&rows), expected);
    }
}
