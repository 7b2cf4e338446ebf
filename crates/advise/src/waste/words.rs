//! The account in sentences.

use super::waterfall::{Name, Part, Waterfall};
use super::{Account, Limits, Spent, Unused, What};
use crate::hours::Hours;

impl Account {
    /// What a person wants to read first, a sentence each: where capacity went (parts of a thousandth and more, largest first),
    /// what was held and not used, what limits asked for too much, and what is not known.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut lines = match &self.capacity {
            Some(capacity) => capacity.words(),
            None => self.spent.iter().map(|spent| spent.words(self.allocated_hours, self.unit)).collect(),
        };
        if let Some(basis) = self.basis_words {
            lines.iter_mut().for_each(|line| *line = format!("{line}, {basis}"));
        }
        lines.extend(self.unused.iter().map(Unused::words));
        lines.extend(self.limits.words(self.unit));
        lines.extend(self.gaps());
        lines
    }

    /// What the account cannot tell, and why.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(capacity) = self.capacity.as_ref().filter(|capacity| !capacity.beyond_capacity_hours.is_zero()) {
            lines.extend(capacity.beyond_words());
        }
        if self.untimed.runs > 0 {
            lines.push(format!(
                "{} runs with {} {} are in no sum over time: the source does not tell when they were.",
                self.untimed.runs, self.untimed.hours, self.unit
            ));
        }
        let unplaced = self.runs_placed.of - self.runs_placed.jobs;
        if unplaced > 0 {
            let runs =
                if self.runs_placed.jobs == 0 { "any run was".to_owned() } else { format!("{unplaced} runs were") };
            lines.push(format!(
                "The source does not tell on which nodes {runs}: meanwhile whatever asked for no more than was free in sum counts as \
                 having fitted."
            ));
        }
        lines
    }
}

impl Waterfall {
    /// A sentence for each part of a thousandth and more, largest first.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut parts: Vec<&Part> =
            self.parts.iter().filter(|part| part.hours.share_of(self.capacity_hours) >= 0.001).collect();
        parts.sort_by_key(|part| (std::cmp::Reverse(part.hours), part.part));
        parts.iter().map(|part| part.words(self.capacity_hours, self.unit)).collect()
    }

    /// That the source contradicts itself, if by a thousandth or more.
    fn beyond_words(&self) -> Option<String> {
        (self.beyond_capacity_hours.share_of(self.capacity_hours) >= 0.001).then(|| {
            format!(
                "{} {} were held beyond what the nodes have: check that the fleet is described in full.",
                self.beyond_capacity_hours, self.unit
            )
        })
    }
}

impl Part {
    /// "12,300 of 45,000 device-hours (27 %) were spent on runs that failed: USD 30,750".
    #[must_use]
    pub fn words(&self, whole: Hours, unit: &str) -> String {
        let cost = self.cost.map_or(String::new(), |cost| format!(": {cost}"));
        format!("{} {}{cost}", amount(self.hours, whole, unit), self.part.words())
    }
}

impl Spent {
    /// The same of what was allocated, where capacity is not known.
    #[must_use]
    pub fn words(&self, allocated: Hours, unit: &str) -> String {
        format!("{} {}", amount(self.hours, allocated, &format!("allocated {unit}")), Name::Spent(self.ending).words())
    }
}

impl Unused {
    /// "Cores: 1,200 of 4,000 core-hours (30 %) that were held were not used. Known of 95 % of jobs."
    #[must_use]
    pub fn words(&self) -> String {
        let what = match self.what {
            What::Cores => "Cores",
            What::Memory => "Memory",
            What::Devices => "Devices",
        };
        let held = amount(self.unused_hours, self.held_hours, self.unit);
        let known = match self.known.jobs == self.known.of {
            true => String::new(),
            false => format!(" Known of {} of jobs.", percent(self.known.share())),
        };
        format!("{what}: {held} that were held were not used.{known}")
    }
}

impl Limits {
    /// What limits asked for, if any did.
    #[must_use]
    pub fn words(&self, unit: &str) -> Option<String> {
        let (ratio, unused) = (self.ratio.as_ref()?, self.unused_mean_ms?);
        let jobs = match self.asked.jobs == self.asked.of {
            true => "jobs".to_owned(),
            false => format!("the {} of jobs that have one", percent(self.asked.share())),
        };
        Some(format!(
            "Time limits: half of {jobs} ask for {} times their run or more; {unused} too much on average, {} {unit} in all.",
            if ratio.p50 < 10.0 { format!("{:.1}", ratio.p50) } else { format!("{:.0}", ratio.p50) },
            self.unused_hours
        ))
    }
}

fn amount(part: Hours, whole: Hours, unit: &str) -> String {
    format!("{part} of {whole} {unit} ({})", percent(part.share_of(whole)))
}

/// Whole percents, but for small ones: `27 %`, `0.4 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 && percent > 0.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}
