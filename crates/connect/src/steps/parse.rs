//! A line of a step clock, version 1: words of `key=value` behind a first word. Unknown first words and keys are passed over, so that
//! clients may say more than this version reads.

use fleet::step::{Doing, Phase, PhasesUs, Rank, Step, Told};

/// The version that is read.
pub const VERSION: &str = "1";
/// No line is longer, its end not counted.
pub const LINE_MAX: usize = 4_096;
/// No job has more ranks.
const RANKS_MAX: u32 = 1 << 20;

/// Reads a line; nothing where this version knows no such line.
///
/// # Errors
/// What is wrong with it, in words.
pub fn line(text: &str) -> Result<Option<Told>, String> {
    let (word, rest) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
    match word {
        "trimtab-steps" => began(rest).map(|rank| Some(Told::Began(rank))),
        "step" => step(rest).map(|step| Some(Told::Step(step))),
        "now" => doing(rest).map(|doing| Some(Told::Doing(doing))),
        "dropped" => Ok(Some(Told::Dropped(number(word, rest)?))),
        "end" => Ok(Some(Told::Ended)),
        _ => Ok(None),
    }
}

fn began(rest: &str) -> Result<Rank, String> {
    let (version, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    if version != VERSION {
        return Err(format!("the client speaks version {version:?}, and this is version {VERSION}"));
    }
    let (mut job, mut group, mut rank, mut ranks, mut pid) = (None, None, None, None, None);
    for field in fields(rest) {
        let (key, value) = field?;
        match key {
            "job" => job = Some(decoded(value)),
            "group" => group = Some(decoded(value)),
            "rank" => rank = Some(number(key, value)?),
            "ranks" => ranks = Some(number(key, value)?),
            "pid" => pid = Some(number(key, value)?),
            _ => {}
        }
    }
    let job = job.filter(|job| !job.is_empty()).ok_or("`job` is missing: the name that the job's processes share")?;
    let rank = rank.unwrap_or(0);
    let ranks = ranks.unwrap_or(1).max(1);
    if rank >= ranks || ranks > RANKS_MAX {
        return Err(format!(
            "rank={rank} of ranks={ranks}: ranks are counted from 0, and there are {RANKS_MAX} at most"
        ));
    }
    Ok(Rank { job, rank, ranks, pid, group: group.filter(|group| !group.is_empty()) })
}

fn step(rest: &str) -> Result<Step, String> {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut step = Step { number: number("step", first)?, ended_us: 0, us: 0, phases: PhasesUs::default() };
    let (mut ended, mut length) = (None, None);
    for field in fields(rest) {
        let (key, value) = field?;
        match key {
            "at" => ended = Some(number(key, value)?),
            "us" => length = Some(number(key, value)?),
            _ => {
                if let Some(phase) = Phase::named(key).filter(|phase| *phase != Phase::Other) {
                    *step.phases.of_mut(phase) = number(key, value)?;
                }
            }
        }
    }
    step.ended_us = ended.ok_or("`at` is missing: when the step ended, in microseconds since 1970")?;
    step.us = length.ok_or("`us` is missing: how long the step was, in microseconds")?;
    let phases = step.phases.sum();
    if phases > step.us {
        return Err(format!("the phases of step {} take {phases} µs, and the step {} µs", step.number, step.us));
    }
    *step.phases.of_mut(Phase::Other) = step.us - phases;
    Ok(step)
}

fn doing(rest: &str) -> Result<Doing, String> {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (mut phase, mut since) = (Phase::Other, None);
    for field in fields(rest) {
        let (key, value) = field?;
        match key {
            "in" => phase = Phase::named(value).unwrap_or(Phase::Other),
            "since" => since = Some(number(key, value)?),
            _ => {}
        }
    }
    let since_us = since.ok_or("`since` is missing: when that began, in microseconds since 1970")?;
    Ok(Doing { step: number("now", first)?, phase, since_us })
}

fn fields(text: &str) -> impl Iterator<Item = Result<(&str, &str), String>> {
    text.split(' ').filter(|word| !word.is_empty()).map(|word| {
        word.split_once('=').ok_or_else(|| format!("{word:?} is no key=value; blanks in values are written %20"))
    })
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{key}={value:?}: a whole number was expected"))
}

/// `%20` is a blank. What is no such code stands for itself.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match code().filter(|_| byte == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_line_is_read() {
        let began = line("trimtab-steps 1 job=a%20b%25 rank=3 ranks=8 local_rank=1 pid=77 group=dp0 new=1\n");
        let rank = Rank { job: "a b%".into(), rank: 3, ranks: 8, pid: Some(77), group: Some("dp0".into()) };
        assert_eq!(began, Ok(Some(Told::Began(rank))));
        let Ok(Some(Told::Step(step))) = line("step 7 at=1700000000000000 us=1000 data_wait=100 forward=600 new=5")
        else {
            panic!("a step")
        };
        assert_eq!((step.number, step.ended_us, step.us), (7, 1_700_000_000_000_000, 1_000));
        assert_eq!((step.phases.of(Phase::Forward), step.phases.of(Phase::Other)), (600, 300));
        assert_eq!(step.phases.sum(), 1_000);
        let doing = Doing { step: 8, phase: Phase::Communication, since_us: 5 };
        assert_eq!(line("now 8 in=communication since=5 step_since=4"), Ok(Some(Told::Doing(doing))));
        assert_eq!(line("dropped 5"), Ok(Some(Told::Dropped(5))));
        assert_eq!(line("end"), Ok(Some(Told::Ended)));
        assert_eq!(line("more than this version knows"), Ok(None));
        assert_eq!(line(""), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("trimtab-steps 2 job=a", "version \"2\""),
            ("trimtab-steps 1 rank=0", "`job` is missing"),
            ("trimtab-steps 1 job=a rank=8 ranks=8", "rank=8 of ranks=8"),
            ("trimtab-steps 1 job=a rank=x", "rank=\"x\""),
            ("step x at=1 us=1", "step=\"x\""),
            ("step 1 us=1", "`at` is missing"),
            ("step 1 at=1", "`us` is missing"),
            ("step 1 at=1 us=5 forward=6", "take 6 µs, and the step 5"),
            ("step 1 at=1 us=5 forward", "no key=value"),
            ("now 1 in=forward", "`since` is missing"),
            ("dropped some", "dropped=\"some\""),
        ] {
            let error = line(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(text in ".{0,200}", word in "(trimtab-steps 1 |now |dropped )") {
            if let Ok(Some(Told::Began(rank))) = line(&format!("{word}{text}")) {
                prop_assert!(rank.rank < rank.ranks && !rank.job.is_empty());
            }
        }

        #[test]
        fn phases_add_up_to_the_step(us in any::<u64>(), data in any::<u64>(), forward in any::<u64>()) {
            let read = line(&format!("step 1 at=1 us={us} data_wait={data} forward={forward}"));
            match read {
                Ok(Some(Told::Step(step))) => prop_assert_eq!(step.phases.sum(), us),
                _ => prop_assert!(data.saturating_add(forward) > us),
            }
        }
    }
}
