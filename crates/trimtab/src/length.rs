//! Values of arguments that need a parser of their own.

use fleet::quantity::Millis;
use replay::scenario::Scenario;

/// Reads a length of time: a whole number and its unit, such as `90s`, `10m`, `2h` or `1d`.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let wrong = || format!("`{text}` is not a length of time; expected a whole number and s, m, h or d, such as 10m");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let count: i64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(unit).filter(|ms| *ms >= 0).map(Millis).ok_or_else(wrong)
}

/// Reads a scenario: JSON in braces, or the name of a JSON or TOML file.
pub(crate) fn scenario(text: &str) -> Result<Scenario, String> {
    if text.trim_start().starts_with('{') {
        return Scenario::parse(text);
    }
    let content = std::fs::read_to_string(text)
        .map_err(|error| format!("cannot read {text}: {}", crate::failure::words(&error)))?;
    Scenario::parse(&content).map_err(|error| format!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units() {
        let cases = [
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("2h", Some(7_200_000)),
            ("5", None),
            ("-1m", None),
            ("m", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).ok().map(|length| length.0), expected, "{text}");
        }
    }
}
