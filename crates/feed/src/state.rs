//! Where a loader is, so that another can go on from there: on any number of ranks and threads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::order::{Order, Shuffle};

/// The version that is written.
const VERSION: u32 = 1;
/// Stands before the digest of a tokenizer, behind that of the data.
pub(crate) const TOKENIZER: &str = "+";

/// Where all ranks are. It is the same for each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Of this form.
    pub version: u32,
    /// The epoch.
    pub epoch: u64,
    /// Samples of the epoch that all ranks together have been given.
    pub consumed: u64,
    /// Samples of an epoch.
    pub samples: u64,
    /// What names the order.
    pub seed: u64,
    /// How it is arranged.
    pub shuffle: Shuffle,
    /// A digest of the files' names and how many samples each has; behind a plus, that of each tokenizer's file.
    pub data: String,
}

/// Why a loader cannot go on from a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It was written by a newer release.
    Newer {
        /// Its version.
        version: u32,
    },
    /// Something that the order hangs on is different.
    Differs {
        /// What.
        what: &'static str,
        /// In the state.
        state: String,
        /// Here.
        here: String,
    },
    /// More was consumed than there is.
    PastTheEnd {
        /// Consumed.
        consumed: u64,
        /// There.
        samples: u64,
    },
}

impl State {
    /// The state of a loader in `order` over the data of that digest.
    pub fn new(order: &Order, data: &str, epoch: u64, consumed: u64) -> State {
        State {
            version: VERSION,
            epoch,
            consumed,
            samples: order.samples,
            seed: order.seed,
            shuffle: order.shuffle,
            data: data.to_owned(),
        }
    }

    /// Whether a loader in `order` over the data of that digest can go on from here.
    ///
    /// # Errors
    ///
    /// Where it would repeat or lose samples.
    pub fn check(&self, order: &Order, data: &str) -> Result<(), StateError> {
        if self.version > VERSION {
            return Err(StateError::Newer { version: self.version });
        }
        let here = State::new(order, data, self.epoch, self.consumed);
        let differs = |what, state: &dyn ToString, here: &dyn ToString| {
            Err(StateError::Differs { what, state: state.to_string(), here: here.to_string() })
        };
        if self.samples != here.samples {
            return differs("the number of samples", &self.samples, &here.samples);
        }
        let (files, tokenizer) = parted(&self.data);
        let (files_here, tokenizer_here) = parted(data);
        if files != files_here {
            return differs("the files or what each holds (told by a digest)", &files, &files_here);
        }
        if tokenizer != tokenizer_here {
            return differs("the tokenizer (told by its file's sha256)", &tokenizer, &tokenizer_here);
        }
        if self.shuffle != here.shuffle {
            return differs("the shuffle", &format!("{:?}", self.shuffle), &format!("{:?}", here.shuffle));
        }
        // Where nothing is shuffled, a seed names draws alone; but these are part of what is resumed, too.
        if self.seed != here.seed {
            return differs("the seed", &self.seed, &here.seed);
        }
        if self.consumed > self.samples {
            return Err(StateError::PastTheEnd { consumed: self.consumed, samples: self.samples });
        }
        Ok(())
    }
}

/// The digest of the data, and that of the tokenizers.
fn parted(digest: &str) -> (&str, &str) {
    digest.split_once(TOKENIZER).unwrap_or((digest, "none"))
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Newer { version } => {
                write!(f, "the state is of version {version}, and this release knows up to {VERSION}: use a newer one")
            }
            StateError::Differs { what, state, here } => write!(
                f,
                "the state does not belong to this loader: {what} was {state} and is {here}; give the loader what it had, or begin anew"
            ),
            StateError::PastTheEnd { consumed, samples } => {
                write!(f, "the state says that {consumed} of {samples} samples are consumed: it is damaged")
            }
        }
    }
}

impl std::error::Error for StateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_repeat_or_lose_samples_is_refused() {
        let order = Order { samples: 100, shuffle: Shuffle::Global, seed: 3 };
        let state = State::new(&order, "abc", 2, 40);
        assert_eq!(state.check(&order, "abc"), Ok(()));
        for (other, data, what) in [
            (Order { samples: 101, ..order }, "abc", "the number of samples"),
            (Order { seed: 4, ..order }, "abc", "the seed"),
            (Order { shuffle: Shuffle::None, ..order }, "abc", "the shuffle"),
            (order, "def", "the files or what each holds (told by a digest)"),
        ] {
            let refused = state.check(&other, data);
            assert!(matches!(&refused, Err(StateError::Differs { what: named, .. }) if *named == what), "{refused:?}");
        }
        let tokenized = State::new(&order, "abc+12", 2, 40);
        assert_eq!(tokenized.check(&order, "abc+12"), Ok(()));
        for data in ["abc+34", "abc"] {
            let refused = tokenized.check(&order, data).expect_err("the tokenizer is another").to_string();
            assert!(refused.contains("the tokenizer (told by its file's sha256) was 12 and is"), "{refused}");
        }
        let newer = State { version: 2, ..state.clone() };
        assert_eq!(newer.check(&order, "abc"), Err(StateError::Newer { version: 2 }));
        let past = State { consumed: 101, ..state };
        assert!(matches!(past.check(&order, "abc"), Err(StateError::PastTheEnd { .. })));
    }
}
