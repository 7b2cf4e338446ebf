//! Values of arguments that need a parser of their own.

use fleet::quantity::{Bytes, Millis};
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

/// Reads a size: `512M`, `16G`, `10GiB`, with powers of 1024.
pub(crate) fn size(text: &str) -> Result<Bytes, String> {
    let text = text.trim().trim_end_matches(['b', 'B']).trim_end_matches(['i', 'I']);
    let unit = text.chars().last().map_or(' ', |unit| unit.to_ascii_uppercase());
    let shift = match unit {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => 0,
    };
    let number = if shift == 0 { text } else { &text[..text.len() - 1] };
    let wrong = || "a size such as 512M or 16G is expected".to_owned();
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    if !(0.0..1e15).contains(&number) {
        return Err(wrong());
    }
    Ok(Bytes((number * (1_u64 << shift) as f64) as u64))
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

    #[test]
    fn sizes_have_units_or_are_bytes() {
        assert_eq!(size("512M"), Ok(Bytes(512 << 20)));
        assert_eq!(size("1.5GiB"), Ok(Bytes(3 << 29)));
        assert_eq!(size("1000"), Ok(Bytes(1_000)));
        assert!(size("much").is_err() && size("").is_err() && size("-1G").is_err());
    }
}
