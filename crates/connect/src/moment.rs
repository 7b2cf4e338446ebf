//! Moments as logs write them: ISO 8601, with or without a zone.

use fleet::text::shown;
use fleet::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;

use crate::bound;
use crate::import::Zone;

/// How sure a moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The text named its zone.
    Itself,
    /// The zone was taken from elsewhere.
    ByZone,
    /// As before, and the clock showed that time twice or not at all that day.
    Ambiguous,
}

/// Reads `2017-10-09 07:01:55`, with `T` or a space, with or without a fraction, with or without `Z` or `+02:00`. A time that
/// names no zone is in `zone`; where the clock showed it twice the first is taken, where it jumped over it the time after.
///
/// # Errors
/// Says what was expected.
pub fn iso(text: &str, zone: &Zone) -> Result<(Timestamp, Named), String> {
    let refuse = || format!("`{}` is not a time; expected one such as 2017-10-09 07:01:55", shown(text));
    // A sign or a Z behind the date's own two signs names a zone.
    let names_zone = text.bytes().skip(10).any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    if names_zone {
        let moment: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        return Ok((bounded(moment.as_millisecond())?, Named::Itself));
    }
    let civil: DateTime = text.parse().map_err(|_| refuse())?;
    in_zone(civil, zone)
}

/// A clock's reading in a zone, as a moment.
///
/// # Errors
/// If it lies outside [`bound::TIME_MIN`] to [`bound::TIME_MAX`].
pub fn in_zone(civil: DateTime, zone: &Zone) -> Result<(Timestamp, Named), String> {
    let ambiguous = zone.rules().to_ambiguous_timestamp(civil);
    let named = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Named::ByZone,
        _ => Named::Ambiguous,
    };
    let moment = ambiguous.compatible().map_err(|error| error.to_string())?;
    Ok((bounded(moment.as_millisecond())?, named))
}

/// A moment within the bounds.
///
/// # Errors
/// If it lies outside [`bound::TIME_MIN`] to [`bound::TIME_MAX`].
pub fn bounded(milliseconds: i64) -> Result<Timestamp, String> {
    let moment = Timestamp(milliseconds);
    if (bound::TIME_MIN..bound::TIME_MAX).contains(&moment) {
        return Ok(moment);
    }
    let [from, until] = [bound::TIME_MIN, bound::TIME_MAX].map(|time| time.to_string()[..4].to_owned());
    Err(format!("the time is {milliseconds} ms since 1970; expected one from {from} to before {until}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, zone: &str, expected: &str, named: Named) {
        let (moment, how) = iso(text, &Zone::named(zone).unwrap()).unwrap();
        assert_eq!((moment.to_string().as_str(), how), (expected, named), "{text} in {zone}");
    }

    #[test]
    fn zones_and_summer_time_are_honoured() {
        check("2017-10-09 07:01:55", "UTC", "2017-10-09T07:01:55Z", Named::ByZone);
        check("2017-10-09T07:01:55", "Europe/Luxembourg", "2017-10-09T05:01:55Z", Named::ByZone);
        check("2017-10-09T07:01:55.250+02:00", "UTC", "2017-10-09T05:01:55Z", Named::Itself);
        check("2017-10-09 07:01:55Z", "Asia/Tokyo", "2017-10-09T07:01:55Z", Named::Itself);
        // The night the clocks went back, 02:30 came twice; the night they went forward, never.
        check("2017-10-29 02:30:00", "Europe/Paris", "2017-10-29T00:30:00Z", Named::Ambiguous);
        check("2017-03-26 02:30:00", "Europe/Paris", "2017-03-26T01:30:00Z", Named::Ambiguous);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "today",
            "2017-13-09 07:01:55",
            "2017-10-09 25:01:55",
            "1970-01-01 00:00:00",
            "2017-10-09 07:01:55+99:00",
        ] {
            assert!(iso(text, &Zone::utc()).is_err(), "{text}");
        }
    }
}
