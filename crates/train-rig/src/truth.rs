//! What a rank itself wrote down about its steps: the ground truth, which no reporting can lose.
//!
//! A line a step: `<step> <end, Unix µs> <whole step, µs> <processor time of the process so far, µs>`, then the seven phases in the
//! order of [`Phase::TOLD`], µs; and at the end `weights <digest>`. A last line without its end is not there yet.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::phase::Phase;

/// A step of a rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 0.
    pub number: u64,
    /// When it ended, Unix time in µs.
    pub at_us: u64,
    /// From the end of the one before to its own, µs.
    pub us: u64,
    /// Processor time of the rank's process until then, all its threads, µs.
    pub cpu_us: u64,
    /// What each phase of [`Phase::TOLD`] took, µs.
    pub phases_us: [u64; 7],
}

impl Step {
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{} {} {} {}", self.number, self.at_us, self.us, self.cpu_us);
        for us in self.phases_us {
            let _ = write!(line, " {us}");
        }
        line + "\n"
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ').map(|field| field.parse::<u64>().ok());
        let mut next = || fields.next().flatten();
        let (number, at_us, us, cpu_us) = (next()?, next()?, next()?, next()?);
        let mut phases_us = [0; 7];
        for phase in &mut phases_us {
            *phase = next()?;
        }
        Some(Self { number, at_us, us, cpu_us, phases_us })
    }

    /// What a phase took, µs.
    #[must_use]
    pub fn phase_us(&self, phase: Phase) -> u64 {
        Phase::TOLD.iter().zip(self.phases_us).find(|(told, _)| **told == phase).map_or(0, |(_, us)| us)
    }
}

/// What a rank wrote down so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Its steps.
    pub steps: Vec<Step>,
    /// What its weights came to, where it has ended well. Ranks that reduced the same gradients have the same.
    pub weights: Option<String>,
}

impl Truth {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut truth = Self::default();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let Some(line) = line.strip_suffix('\n') else { break };
            match (line.strip_prefix("weights "), Step::parse(line)) {
                (Some(digest), _) => truth.weights = Some(digest.to_owned()),
                (None, Some(step)) => truth.steps.push(step),
                (None, None) => bail!("line {number} is no step: {line:?}"),
            }
        }
        Ok(truth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_as_it_was_written() {
        let step = Step { number: 3, at_us: 10, us: 9, cpu_us: 4, phases_us: [1, 2, 3, 0, 0, 1, 0] };
        let text = step.line() + "weights ab12\n4 20 10";
        let truth = Truth::parse(&text).unwrap();
        assert_eq!(truth, Truth { steps: vec![step.clone()], weights: Some("ab12".to_owned()) });
        assert_eq!(step.phase_us(Phase::Communication), 1);
        assert!(Truth::parse("3 ten 9\n").unwrap_err().to_string().contains("line 1"));
    }
}
