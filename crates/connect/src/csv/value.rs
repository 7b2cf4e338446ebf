//! One field: times, lengths and amounts in the units that tables use.

use fleet::quantity::{Bytes, Millis};
use fleet::text::shown;
use fleet::time::Timestamp;
use jiff::fmt::strtime;

use crate::bound;
use crate::import::Zone;
use crate::moment::{self, Named};
use crate::number;

/// A unit of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeUnit {
    ms: i64,
}

impl TimeUnit {
    pub(super) const SECOND: Self = Self { ms: 1_000 };

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let ms = match text {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(format!("`{text}` is not a unit of time; expected ms, s, min, h or d")),
        };
        Ok(Self { ms })
    }

    /// A length of at least nothing, within the bounds; `1-02:03:04` and `02:03:04` are read too.
    pub(super) fn read(self, text: &str) -> Result<Millis, String> {
        let length = if text.contains(':') { clock(text)? } else { self.decimal(text)? };
        if (Millis::ZERO..=bound::LENGTH_MAX).contains(&length) {
            Ok(length)
        } else {
            Err(format!("`{}` is outside 0 to {} days", shown(text), bound::LENGTH_MAX.0 / 86_400_000))
        }
    }

    fn decimal(self, text: &str) -> Result<Millis, String> {
        let product = i128::from(number::thousandths(text)?) * i128::from(self.ms);
        i64::try_from(product / 1_000).map(Millis).map_err(|_| format!("`{}` is too long", shown(text)))
    }
}

/// Days, hours, minutes and seconds as clocks show them: `[days-]hours:minutes:seconds[.fraction]`.
fn clock(text: &str) -> Result<Millis, String> {
    let wrong = || format!("`{}` is not a length of time; expected one such as 1-02:03:04", shown(text));
    let (days, time) = text.split_once('-').unwrap_or(("0", text));
    let mut parts = time.split(':').rev();
    let seconds = number::thousandths(parts.next().ok_or_else(wrong)?)?;
    let minutes = number::whole(parts.next().ok_or_else(wrong)?)?;
    let hours = parts.next().map_or(Ok(0), number::whole)?;
    let days = number::whole(days)?;
    let fits = (0..60_000).contains(&seconds) && (0..60).contains(&minutes) && hours >= 0 && days >= 0;
    if !fits || parts.next().is_some() {
        return Err(wrong());
    }
    let sum = i128::from(days) * 86_400_000
        + i128::from(hours) * 3_600_000
        + i128::from(minutes) * 60_000
        + i128::from(seconds);
    i64::try_from(sum).map(Millis).map_err(|_| wrong())
}

/// A unit of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryUnit {
    bytes: u64,
}

impl MemoryUnit {
    pub(super) const BYTE: Self = Self { bytes: 1 };

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bytes = match text {
            "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => {
                return Err(format!(
                    "`{text}` is not a unit of memory; expected B, KB, MB, GB, TB, KiB, MiB, GiB or TiB"
                ));
            }
        };
        Ok(Self { bytes })
    }

    pub(super) fn read(self, text: &str) -> Result<Bytes, String> {
        let product = i128::from(number::thousandths(text)?) * i128::from(self.bytes) / 1_000;
        match u64::try_from(product) {
            Ok(bytes) => Ok(Bytes(bytes)),
            Err(_) => Err(format!("`{}` is outside 0 to 16 EiB", shown(text))),
        }
    }
}

/// How times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    Iso,
    EpochSeconds,
    EpochMillis,
    Pattern(String),
}

impl TimeFormat {
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "iso" => Self::Iso,
            "epoch_s" => Self::EpochSeconds,
            "epoch_ms" => Self::EpochMillis,
            pattern => Self::Pattern(pattern.to_owned()),
        }
    }

    pub(super) fn read(&self, text: &str, zone: &Zone) -> Result<(Timestamp, Named), String> {
        match self {
            Self::Iso => moment::iso(text, zone),
            // Thousandths of seconds are milliseconds.
            Self::EpochSeconds => Ok((moment::bounded(number::thousandths(text)?)?, Named::Itself)),
            Self::EpochMillis => Ok((moment::bounded(number::thousandths(text)? / 1_000)?, Named::Itself)),
            Self::Pattern(pattern) => {
                let wrong = |error| format!("`{}` is not a time written as `{pattern}` ({error})", shown(text));
                let parts = strtime::parse(pattern, text).map_err(wrong)?;
                if parts.offset().is_some() {
                    let moment = parts.to_timestamp().map_err(wrong)?;
                    return Ok((moment::bounded(moment.as_millisecond())?, Named::Itself));
                }
                let civil = parts.to_datetime().map_err(wrong)?;
                moment::in_zone(civil, zone)
            }
        }
    }
}
