//! Sentences and tables set to the width of whoever reads.

use std::fmt::Write;

/// Where nobody looks, and on wide terminals, lines are this long: longer ones read badly.
const WIDTH_MAX: usize = 100;
/// No narrower than this: names and figures need room.
const WIDTH_MIN: usize = 60;

/// How many letters a line of standard output holds.
pub(crate) fn width() -> usize {
    let seen = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    seen.map_or(WIDTH_MAX, |width| width.clamp(WIDTH_MIN, WIDTH_MAX))
}

/// Words set to lines of at most `width` letters, each behind `indent`. A word that is longer has a line of its own.
pub(crate) fn paragraph(text: &mut String, width: usize, indent: &str, words: &str) {
    let hanging = if words.starts_with("- ") { "  " } else { "" };
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            let _ = writeln!(text, "{line}");
            line = format!("{indent}{hanging}");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(text, "{line}");
}

/// A heading, with a line above it.
pub(crate) fn section(text: &mut String, title: &str) {
    let bold = anstyle::Style::new().bold();
    let _ = writeln!(text, "\n{bold}{title}{bold:#}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_width() {
        let mut text = String::new();
        paragraph(&mut text, 12, "  ", "- one two three incomprehensibilities four");
        assert_eq!(text, "  - one two\n    three\n    incomprehensibilities\n    four\n");
    }
}
