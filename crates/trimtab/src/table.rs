//! Tables for people: aligned columns, numbers to the right, readable without colour.

use std::fmt;

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table: a line of headings, a rule, and rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        Self { columns: columns.map(|(name, align)| (name.to_owned(), align)).to_vec(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.columns.len(), "a row has a cell for each column");
        self.rows.push(cells.map(|cell| plain(&cell)).to_vec());
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Leaves out columns in which nothing stands.
    pub(crate) fn without_empty_columns(mut self) -> Self {
        let used: Vec<bool> =
            (0..self.columns.len()).map(|column| self.rows.iter().any(|row| !row[column].is_empty())).collect();
        let keep = |cells: &mut dyn Iterator<Item = String>| {
            cells.zip(&used).filter(|(_, used)| **used).map(|(c, _)| c).collect()
        };
        self.rows = self.rows.into_iter().map(|row| keep(&mut row.into_iter())).collect();
        let mut used = used.into_iter();
        self.columns.retain(|_| used.next().unwrap_or(true));
        self
    }

    /// The table in lines of at most `width` letters, as far as that goes: words in the widest column of words are cut.
    pub(crate) fn within(mut self, width: usize) -> String {
        const LEAST: usize = 12;
        let widths = self.widths();
        let over = (widths.iter().sum::<usize>() + 2 * widths.len()).saturating_sub(width);
        let words = (0..widths.len()).filter(|&column| self.columns[column].1 == Align::Left);
        if let Some(widest) = words.max_by_key(|&column| widths[column]).filter(|_| over > 0) {
            let room = widths[widest].saturating_sub(over).max(LEAST);
            for row in &mut self.rows {
                if row[widest].chars().count() > room {
                    row[widest] = row[widest].chars().take(room - 1).chain(['…']).collect();
                }
            }
        }
        self.to_string()
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].as_str());
            cells.chain([self.columns[column].0.as_str()]).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(width).collect()
    }
}

/// Two spaces before each line and between columns; no spaces at the end of a line.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |f: &mut fmt::Formatter<'_>, cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for ((cell, (_, align)), &width) in cells.zip(&self.columns).zip(&widths) {
                text.push_str("  ");
                match align {
                    Align::Left => text.push_str(&format!("{cell:<width$}")),
                    Align::Right => text.push_str(&format!("{cell:>width$}")),
                }
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, &mut self.columns.iter().map(|(name, _)| name.as_str()))?;
        let rules: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
        line(f, &mut rules.iter().map(String::as_str))?;
        for row in &self.rows {
            line(f, &mut row.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

/// Names come from logs: what would move the cursor or break the line is shown as a mark, and what is long is cut.
pub(crate) fn plain(text: &str) -> String {
    const CELL_MAX: usize = 60;
    let mut short: String = text.chars().take(CELL_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(CELL_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_give_way_and_empty_columns_go() {
        let mut table = Table::new([("queue", Align::Left), ("none", Align::Left), ("jobs", Align::Right)]);
        table.row(["a-queue-with-a-long-name".into(), String::new(), "7".into()]);
        let table = table.without_empty_columns();
        assert_eq!(table.within(24), "  queue             jobs\n  ────────────────  ────\n  a-queue-with-a-…     7\n");
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = Table::new([("queue", Align::Left), ("jobs", Align::Right)]);
        table.row(["training".into(), "7".into()]);
        table.row(["a\x1b[2J".into(), "12,345".into()]);
        let narrow = table.clone().within(18);
        assert_eq!(narrow, "  queue       jobs\n  ────────  ──────\n  training       7\n  a\u{fffd}[2J     12,345\n");
        assert_eq!(
            table.to_string(),
            "  queue       jobs\n  ────────  ──────\n  training       7\n  a\u{fffd}[2J     12,345\n"
        );
    }
}
