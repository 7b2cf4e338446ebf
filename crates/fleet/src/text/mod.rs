//! Text of other systems, read in bounded memory whatever it is: lines, tables, and values as an error may show them.

pub mod exposition;
pub mod lines;
pub mod table;

/// The longest line, and the longest record of a table.
pub const LINE_MAX: usize = 1 << 20;

/// The most columns of a table.
pub const COLUMNS_MAX: usize = 4_096;

/// A value as an error may show it: the beginning, where it is long.
#[must_use]
pub fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    let mut short: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        short.push('…');
    }
    short
}
