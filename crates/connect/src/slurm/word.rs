//! Slurm's small words: lengths of time, memory, moments, states. Pure.

use fleet::event::EndCause;
use fleet::quantity::{Bytes, Millis};
use fleet::text::shown;
use fleet::time::Timestamp;

use crate::bound;
use crate::import::Zone;
use crate::moment::{self, Named};
use crate::number::thousandths;

/// A time limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Limit {
    /// Not told, or the partition's.
    #[default]
    Unknown,
    /// None.
    Unlimited,
    /// So long.
    After(Millis),
}

impl Limit {
    /// The length, where there is one.
    pub(super) fn length(self) -> Option<Millis> {
        match self {
            Self::After(length) => Some(length),
            Self::Unknown | Self::Unlimited => None,
        }
    }
}

/// Reads a limit: a length of time, `UNLIMITED`, `Partition_Limit`, or nothing.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "partition_limit" | "unknown" | "n/a" | "none" | "(null)" => Ok(Limit::Unknown),
        "unlimited" | "infinite" => Ok(Limit::Unlimited),
        _ => Ok(Limit::After(length(text)?)),
    }
}

/// So many minutes, where the two largest 32-bit numbers say "none" and "not told" (`INFINITE` and `NO_VAL` in slurm.h).
pub(super) fn limit_minutes(minutes: u64) -> Result<Limit, String> {
    const INFINITE: u64 = 0xffff_ffff;
    const NO_VAL: u64 = 0xffff_fffe;
    match minutes {
        INFINITE => Ok(Limit::Unlimited),
        NO_VAL => Ok(Limit::Unknown),
        _ => {
            let length = i64::try_from(minutes).ok().and_then(|minutes| minutes.checked_mul(60_000)).map(Millis);
            length.filter(|&length| length <= bound::LENGTH_MAX).map(Limit::After).ok_or_else(|| {
                format!("{minutes} minutes are longer than {}; expected a time limit", bound::LENGTH_MAX)
            })
        }
    }
}

/// Reads `1-02:03:04`, `02:03:04`, `03:04` (minutes and seconds) or `00:00.153`.
pub(super) fn length(text: &str) -> Result<Millis, String> {
    let refuse = || format!("`{}` is not a length of time; expected one such as 1-02:03:04", shown(text));
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(days), clock),
        None => (None, text),
    };
    let digits = |part: &str| -> Result<i64, String> {
        let sound = !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
        if sound { part.parse().map_err(|_| refuse()) } else { Err(refuse()) }
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes, seconds] => (digits(hours)?, digits(minutes)?, seconds),
        [minutes, seconds] if days.is_none() => (0, digits(minutes)?, seconds),
        _ => return Err(refuse()),
    };
    let mut parts = seconds.splitn(2, '.');
    digits(parts.next().unwrap_or_default())?;
    if let Some(decimals) = parts.next() {
        digits(decimals)?;
    }
    let seconds_milli = thousandths(seconds).map_err(|_| refuse())?;
    let days = days.map_or(Ok(0), digits)?;
    let length = Millis(((days * 24 + hours) * 60 + minutes) * 60_000 + seconds_milli);
    if length > bound::LENGTH_MAX {
        return Err(format!("`{}` is longer than {}", shown(text), bound::LENGTH_MAX));
    }
    Ok(length)
}

/// What an amount of memory is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Per {
    /// The whole that it is told of.
    Whole,
    /// A node (`4Gn`, until Slurm 21.08).
    Node,
    /// A core (`4Gc`, until Slurm 21.08).
    Core,
}

/// Reads `8G`, `4Gn`, `512Mc`, `2.60M` or a number of `bare` units, in powers of 1,024.
pub(super) fn memory(text: &str, bare: Bytes) -> Result<(Bytes, Per), String> {
    let refuse = || format!("`{}` is not an amount of memory; expected one such as 8G or 512M", shown(text));
    let (text_left, per) = match text.as_bytes().last() {
        Some(b'n') => (&text[..text.len() - 1], Per::Node),
        Some(b'c') => (&text[..text.len() - 1], Per::Core),
        _ => (text, Per::Whole),
    };
    let (number, shift) = match text_left.as_bytes().last() {
        Some(b'?') => (&text_left[..text_left.len() - 1], None),
        Some(unit) if unit.is_ascii_alphabetic() => {
            let shift =
                [b'K', b'M', b'G', b'T', b'P', b'E'].iter().position(|known| *known == unit.to_ascii_uppercase());
            (&text_left[..text_left.len() - 1], Some(10 * (1 + shift.ok_or_else(refuse)?)))
        }
        _ => (text_left, None),
    };
    let milli = u128::try_from(thousandths(number).map_err(|_| refuse())?).map_err(|_| refuse())?;
    let unit = shift.map_or(u128::from(bare.0), |shift| 1_u128 << shift);
    // Of a whole job, which may have many nodes; a task's share is held to `bound::MEMORY_MAX`.
    let bytes = u64::try_from(milli * unit / 1_000).ok().filter(|&bytes| bytes <= 1 << 60).map(Bytes);
    bytes.map(|bytes| (bytes, per)).ok_or_else(|| format!("`{}` is more than {}", shown(text), Bytes(1 << 60)))
}

/// Reads a moment: seconds since 1970, or a date and time. Absent where Slurm knows of none.
pub(super) fn time(text: &str, zone: &Zone) -> Result<Option<(Timestamp, Named)>, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "unknown" | "none" | "n/a" | "0" | "now" => return Ok(None),
        _ => {}
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = text.parse().map_err(|_| format!("`{}` is no time", shown(text)))?;
        return Ok(Some((epoch(seconds)?, Named::Itself)));
    }
    moment::iso(text, zone).map(Some)
}

/// The moment so many seconds after 1970 began.
pub(super) fn epoch(seconds: i64) -> Result<Timestamp, String> {
    moment::bounded(seconds.checked_mul(1_000).ok_or_else(|| format!("{seconds} s since 1970 is no time"))?)
}

/// What a job has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It waits.
    Pending,
    /// It runs (or is suspended, or is about to end).
    Running,
    /// It has ended.
    Ended(EndCause),
    /// It was put back and waits again, as a record of its own.
    Requeued,
    /// It was put back to make room, or cancelled to make room.
    Preempted,
    /// Its size was changed; it goes on as a record of its own.
    Resized,
    /// Another cluster of the federation ran it.
    Revoked,
}

/// Reads a state as `sacct` writes it (`CANCELLED by 1000`, `CANCELLED+`), or as one of the words of its JSON.
pub(super) fn state(text: &str) -> Result<State, String> {
    let word = text.split([' ', '+']).next().unwrap_or_default();
    Ok(match word.to_ascii_uppercase().as_str() {
        "PENDING" | "PD" | "RESV_DEL_HOLD" => State::Pending,
        "RUNNING" | "R" | "SUSPENDED" | "S" | "COMPLETING" | "CG" | "CONFIGURING" | "CF" | "STOPPED" | "STAGE_OUT"
        | "SIGNALING" | "POWER_UP_NODE" => State::Running,
        "COMPLETED" | "CD" => State::Ended(EndCause::Completed),
        "FAILED" | "F" => State::Ended(EndCause::Failed),
        "CANCELLED" | "CA" => State::Ended(EndCause::Cancelled),
        "TIMEOUT" | "TO" | "DEADLINE" | "DL" => State::Ended(EndCause::TimedOut),
        "OUT_OF_MEMORY" | "OUT_OF_ME" | "OOM" => State::Ended(EndCause::OutOfMemory),
        "NODE_FAIL" | "NF" | "BOOT_FAIL" | "BF" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => {
            State::Ended(EndCause::NodeFailed)
        }
        "REQUEUED" | "RQ" | "REQUEUE_HOLD" | "RH" | "REQUEUE_FED" | "RF" | "SPECIAL_EXIT" | "SE" => State::Requeued,
        "PREEMPTED" | "PR" => State::Preempted,
        "RESIZING" | "RS" => State::Resized,
        "REVOKED" | "RV" => State::Revoked,
        _ => return Err(format!("`{}` is not a state of Slurm's; expected one such as COMPLETED", shown(text))),
    })
}

/// Joins the words of a state that JSON tells as a list: what was done to the job says more than what it was before.
pub(super) fn states(words: &[&str]) -> Result<State, String> {
    let mut joined: Option<State> = None;
    for word in words {
        let next = state(word)?;
        joined = Some(match (joined, next) {
            (None, next) => next,
            (Some(first), State::Requeued | State::Resized | State::Revoked) if first != next => next,
            (Some(first @ State::Ended(_)), State::Running) => first,
            (Some(State::Pending), next) => next,
            (Some(first), _) => first,
        });
    }
    joined.ok_or_else(|| "the list of states is empty; expected one such as COMPLETED".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, expected) in [
            ("1-02:03:04", 93_784_000),
            ("02:03:04", 7_384_000),
            ("00:00.153", 153),
            ("48:05", 2_885_000),
            ("365-00:00:00", 31_536_000_000),
        ] {
            assert_eq!(length(text), Ok(Millis(expected)), "{text}");
        }
        for text in ["", "5", "1-02", "1-02:03", "a:b", "-1:00", "1:2:3:4", "00:00:-5", "99999-00:00:00", "1-:00:00"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(limit("UNLIMITED"), Ok(Limit::Unlimited));
        assert_eq!(limit("Partition_Limit"), Ok(Limit::Unknown));
        assert_eq!(limit("00:10:00"), Ok(Limit::After(Millis::minutes(10))));
        assert!(limit("soon").is_err());
        assert_eq!(limit_minutes(0xffff_ffff), Ok(Limit::Unlimited));
        assert_eq!(limit_minutes(60), Ok(Limit::After(Millis::hours(1))));
        assert!(limit_minutes(1 << 40).is_err());
    }

    #[test]
    fn amounts_of_memory() {
        let bare = Bytes::mebi(1);
        for (text, expected) in [
            ("8G", (Bytes::gibi(8), Per::Whole)),
            ("4Gn", (Bytes::gibi(4), Per::Node)),
            ("512Mc", (Bytes::mebi(512), Per::Core)),
            ("64000", (Bytes::mebi(64_000), Per::Whole)),
            ("1.50G", (Bytes::mebi(1_536), Per::Whole)),
            ("307904K", (Bytes(307_904 << 10), Per::Whole)),
            ("0", (Bytes(0), Per::Whole)),
        ] {
            assert_eq!(memory(text, bare), Ok(expected), "{text}");
        }
        for text in ["", "G", "-1G", "8X", "9999999P", "8 G"] {
            assert!(memory(text, bare).is_err(), "{text}");
        }
    }

    #[test]
    fn states_as_words_and_as_lists() {
        assert_eq!(state("CANCELLED by 1000"), Ok(State::Ended(EndCause::Cancelled)));
        assert_eq!(state("OUT_OF_ME+"), Ok(State::Ended(EndCause::OutOfMemory)));
        assert!(state("FINE").is_err());
        assert_eq!(states(&["PENDING", "REQUEUED"]), Ok(State::Requeued));
        assert_eq!(states(&["COMPLETED", "COMPLETING"]), Ok(State::Ended(EndCause::Completed)));
        assert_eq!(states(&["RUNNING", "CONFIGURING"]), Ok(State::Running));
        assert!(states(&[]).is_err());
    }

    #[test]
    fn moments_with_and_without_zone() {
        let utc = Zone::utc();
        assert_eq!(time("Unknown", &utc), Ok(None));
        assert_eq!(time("1795476722", &utc), Ok(Some((Timestamp(1_795_476_722_000), Named::Itself))));
        let (at, named) = time("2026-11-23T23:32:02", &utc).unwrap().expect("a moment");
        assert_eq!((at, named), (Timestamp(1_795_476_722_000), Named::ByZone));
        assert!(time("12", &utc).is_err(), "twelve seconds after 1970 began is no time of a job");
        assert!(time("yesterday", &utc).is_err());
    }
}
