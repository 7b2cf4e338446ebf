//! The model of a rank: weights, gradients and momentum, with passes over them that are real.

use std::fmt::Write as _;

/// How far a step goes.
const RATE: f32 = 0.01;
/// What is kept of the step before.
const MOMENTUM: f32 = 0.9;

/// A model. Gradients have one more value than weights: a vote to end, which is reduced with them.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) weights: Vec<f32>,
    pub(super) momentum: Vec<f32>,
    pub(super) gradients: Vec<f32>,
}

impl Model {
    /// A model that is the same on every rank.
    pub(super) fn new(parameters: usize) -> Self {
        let weights = (0..parameters).map(|index| (index as f32 * 0.618).sin() * 0.1).collect();
        Self { weights, momentum: vec![0.0; parameters], gradients: vec![0.0; parameters + 1] }
    }

    /// Gradients from a batch and the activation that the forward pass came to.
    pub(super) fn differentiate(&mut self, batch: &[f32], activation: f32) {
        let scale = 0.1 * activation.tanh() + 0.05;
        for (part, weights) in self.gradients.chunks_mut(batch.len()).zip(self.weights.chunks(batch.len())) {
            for ((gradient, weight), value) in part.iter_mut().zip(weights).zip(batch) {
                *gradient = value * scale + weight * 0.001;
            }
        }
    }

    /// Votes for an end after this step, or for none.
    pub(super) fn vote(&mut self, end: bool) {
        if let Some(vote) = self.gradients.last_mut() {
            *vote = f32::from(u8::from(end));
        }
    }

    /// Whether anybody voted for an end.
    pub(super) fn is_over(&self) -> bool {
        self.gradients.last().is_some_and(|votes| *votes > 0.5)
    }

    /// Takes a step along gradients that are the sum over so many ranks.
    pub(super) fn update(&mut self, ranks: u32) {
        let mean = 1.0 / ranks as f32;
        let all = self.weights.iter_mut().zip(&mut self.momentum).zip(&self.gradients);
        for ((weight, momentum), gradient) in all {
            *momentum = MOMENTUM * *momentum + gradient * mean;
            *weight -= RATE * *momentum;
        }
    }

    /// What the weights come to (FNV-1a over their bits).
    pub(super) fn digest(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for weight in &self.weights {
            hash = (hash ^ u64::from(weight.to_bits())).wrapping_mul(0x100_0000_01b3);
        }
        let mut text = String::new();
        let _ = write!(text, "{hash:016x}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_the_weights_and_a_vote_is_heard() {
        let mut model = Model::new(100);
        let before = model.digest();
        model.differentiate(&[1.0, -1.0, 0.5], 0.2);
        model.vote(false);
        model.update(2);
        assert!(!model.is_over());
        assert_ne!(model.digest(), before);
        assert!(model.gradients[99].abs() > 0.0);
        model.vote(true);
        assert!(model.is_over());
    }
}
