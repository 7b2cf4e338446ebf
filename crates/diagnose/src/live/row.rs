//! A step that all ranks of a job did together: what each spent its time with.

use fleet::step::{Phase, PhasesUs};
use fleet::time::Timestamp;

/// A step of all ranks.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its number.
    pub(super) number: u64,
    /// When the last rank ended it, in microseconds since 1970.
    pub(super) ended_us: i64,
    /// The time of each rank, in the order of ranks.
    pub(super) ranks: Vec<PhasesUs>,
}

/// How much of the time of each phase of each rank is left; one: as it was.
pub(super) type Scales = Vec<[f64; Phase::ALL.len()]>;

impl Row {
    /// How long the step is if the time of each phase is changed so, in microseconds: ranks that exchange gradients wait for the last, and
    /// the exchange itself takes what it takes the one that comes last, who waits for nobody (the shortest).
    pub(super) fn took_us(&self, scales: Option<&Scales>, exchange: f64) -> f64 {
        let scale = |rank: usize, phase: Phase| scales.map_or(1.0, |scales| scales[rank][phase as usize]);
        let own = |(rank, phases): (usize, &PhasesUs)| -> f64 {
            let own = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Communication);
            own.map(|phase| phases.of(phase) as f64 * scale(rank, phase)).sum()
        };
        self.ranks.iter().enumerate().map(own).fold(0.0, f64::max) + self.exchange_us() * exchange
    }

    /// When the first rank began it.
    pub(super) fn begun(&self) -> Timestamp {
        let longest = self.ranks.iter().map(PhasesUs::sum).max().unwrap_or(0);
        Timestamp((self.ended_us - i64::try_from(longest).unwrap_or(0)).div_euclid(1_000))
    }

    /// What the exchange takes who comes last to it.
    pub(super) fn exchange_us(&self) -> f64 {
        let exchanges = self.ranks.iter().map(|phases| phases.of(Phase::Communication));
        exchanges.min().unwrap_or(0) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_sets_the_pace_and_the_shortest_exchange_is_the_exchange() {
        let rank = |forward, exchange| {
            let mut phases = PhasesUs::default();
            *phases.of_mut(Phase::Forward) = forward;
            *phases.of_mut(Phase::Communication) = exchange;
            phases
        };
        let row = Row { number: 1, ended_us: 0, ranks: vec![rank(100, 60), rank(150, 10)] };
        assert_eq!(row.took_us(None, 1.0) as u64, 160);
        let mut scales = vec![[1.0; 8]; 2];
        scales[1][Phase::Forward as usize] = 0.5;
        assert_eq!(row.took_us(Some(&scales), 1.0) as u64, 110);
        assert_eq!(row.took_us(Some(&scales), 0.0) as u64, 100);
    }
}
