//! Where a loader is, so that another can go on from there: on any number of ranks and threads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::order::{Buckets, Course, PLACES_MAX, Shuffle, Source, told};

/// The newest version that is read. What mixes no sources and brings no sizes together is written as version 1, which has a word for
/// neither: older releases go on from it.
const VERSION: u32 = 2;
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
    /// The sources that are mixed; none where there is one alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// How samples of similar size are brought together, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Buckets>,
}

/// Why a loader cannot go on from a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It is no state.
    Unreadable {
        /// Why not.
        problem: String,
    },
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
    /// No loader ever comes so far.
    TooFar {
        /// The epoch.
        epoch: u64,
    },
}

/// As much of a state as tells whether the rest of it can be read.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl State {
    /// The state of a loader on `course` over the data of that digest.
    pub fn new(course: &Course, data: &str, epoch: u64, consumed: u64) -> State {
        let sources = course.mix.as_ref().map_or_else(Vec::new, |mix| mix.sources().to_vec());
        let buckets = course.buckets.as_ref().map(|(buckets, _)| buckets.clone());
        State {
            version: if sources.is_empty() && buckets.is_none() { 1 } else { VERSION },
            epoch,
            consumed,
            samples: course.order.samples,
            seed: course.order.seed,
            shuffle: course.order.shuffle,
            data: data.to_owned(),
            sources,
            buckets,
        }
    }

    /// A state that was written as JSON.
    ///
    /// # Errors
    ///
    /// Where it is none, or of a newer version.
    pub fn read(json: &str) -> Result<State, StateError> {
        // A newer one may hold what is not known here: that it is newer says more than which words these are.
        if let Ok(Version { version }) = serde_json::from_str(json)
            && version > VERSION
        {
            return Err(StateError::Newer { version });
        }
        serde_json::from_str(json).map_err(|error| StateError::Unreadable { problem: error.to_string() })
    }

    /// Whether a loader on `course` over the data of that digest can go on from here.
    ///
    /// # Errors
    ///
    /// Where it would repeat or lose samples.
    pub fn check(&self, course: &Course, data: &str) -> Result<(), StateError> {
        if self.version > VERSION {
            return Err(StateError::Newer { version: self.version });
        }
        let here = State::new(course, data, self.epoch, self.consumed);
        let differs = |what, state: &dyn ToString, here: &dyn ToString| {
            Err(StateError::Differs { what, state: state.to_string(), here: here.to_string() })
        };
        if self.sources != here.sources {
            let told = |sources: &[Source]| if sources.is_empty() { "none".to_owned() } else { told(sources) };
            return differs("the mixture of sources", &told(&self.sources), &told(&here.sources));
        }
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
        if self.buckets != here.buckets {
            let told = |buckets: &Option<Buckets>| buckets.as_ref().map_or("none".to_owned(), Buckets::to_string);
            return differs("what brings similar sizes together", &told(&self.buckets), &told(&here.buckets));
        }
        // Where nothing is shuffled, a seed names draws alone; but these are part of what is resumed, too.
        if self.seed != here.seed {
            return differs("the seed", &self.seed, &here.seed);
        }
        if self.consumed > self.samples {
            return Err(StateError::PastTheEnd { consumed: self.consumed, samples: self.samples });
        }
        // Places of a mixture are counted through all epochs.
        let places = self.epoch.checked_add(1).and_then(|epochs| epochs.checked_mul(self.samples));
        if course.mix.is_some() && places.is_none_or(|places| places > PLACES_MAX) {
            return Err(StateError::TooFar { epoch: self.epoch });
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
            StateError::Unreadable { problem } => write!(f, "this is no state of a loader: {problem}"),
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
            StateError::TooFar { epoch } => {
                write!(f, "the state says that epoch {epoch} was reached, which cannot be counted: it is damaged")
            }
        }
    }
}

impl std::error::Error for StateError {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::order::{Mix, Order, Sizes, Weights};

    fn course(samples: u64, seed: u64, shuffle: Shuffle) -> Course {
        Order { samples, shuffle, seed }.into()
    }

    fn mixed(weights: [f64; 2], epoch: u64) -> Course {
        let sources = vec![("web".to_owned(), 40), ("books".to_owned(), 60)];
        let weights = Weights::of(&weights).expect("the weights make a mixture");
        let mix = Arc::new(Mix::new(sources, &weights));
        Course { mix: Some(mix), ..course(epoch, 3, Shuffle::Global) }
    }

    fn sorted(group: u64) -> Course {
        let buckets = Buckets { group, groups: 4, fields: vec![vec!["txt".to_owned()]] };
        Course { buckets: Some((buckets, Sizes::new(|sample| sample))), ..course(100, 3, Shuffle::Global) }
    }

    #[test]
    fn what_would_repeat_or_lose_samples_is_refused() {
        let order = course(100, 3, Shuffle::Global);
        let state = State::new(&order, "abc", 2, 40);
        assert_eq!(state.check(&order, "abc"), Ok(()));
        for (other, data, what) in [
            (course(101, 3, Shuffle::Global), "abc", "the number of samples"),
            (course(100, 4, Shuffle::Global), "abc", "the seed"),
            (course(100, 3, Shuffle::None), "abc", "the shuffle"),
            (course(100, 3, Shuffle::Global), "def", "the files or what each holds (told by a digest)"),
            (mixed([1.0, 1.0], 100), "abc", "the mixture of sources"),
            (sorted(5), "abc", "what brings similar sizes together"),
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
        let newer = State { version: 3, ..state.clone() };
        assert_eq!(newer.check(&order, "abc"), Err(StateError::Newer { version: 3 }));
        let past = State { consumed: 101, ..state };
        assert!(matches!(past.check(&order, "abc"), Err(StateError::PastTheEnd { .. })));
    }

    #[test]
    fn another_mixture_is_refused_with_both() {
        let state = State::new(&mixed([0.7, 0.3], 100), "abc", 2, 40);
        assert_eq!(state.check(&mixed([7.0, 3.0], 100), "abc"), Ok(()), "the same shares, told otherwise");
        let refused = state.check(&mixed([0.6, 0.4], 100), "abc").unwrap_err().to_string();
        let expected = "the mixture of sources was \"web\" (70.0000 % of 40 samples), \"books\" (30.0000 % of 60 samples) and is \
                        \"web\" (60.0000 % of 40 samples)";
        assert!(refused.contains(expected), "{refused}");
        let alone = state.check(&course(100, 3, Shuffle::Global), "abc").unwrap_err().to_string();
        assert!(alone.contains("and is none"), "{alone}");
        let longer = state.check(&mixed([0.7, 0.3], 101), "abc").unwrap_err().to_string();
        assert!(longer.contains("the number of samples was 100 and is 101"), "{longer}");
        let far = State { epoch: u64::MAX / 100, ..state };
        assert_eq!(far.check(&mixed([0.7, 0.3], 100), "abc"), Err(StateError::TooFar { epoch: u64::MAX / 100 }));
        let other = State::new(&sorted(5), "abc", 0, 0).check(&sorted(6), "abc").unwrap_err().to_string();
        assert!(other.contains("was 4 groups of 5 samples by the size of [txt] and is 4 groups of 6"), "{other}");
    }

    #[test]
    fn states_of_each_version_are_read() {
        // As the releases before mixing wrote it.
        let old = r#"{"version":1,"epoch":2,"consumed":40,"samples":100,"seed":3,"shuffle":"global","data":"abc"}"#;
        let order = course(100, 3, Shuffle::Global);
        let state = State::read(old).unwrap();
        assert_eq!(state.check(&order, "abc"), Ok(()));
        assert_eq!(serde_json::to_string(&State::new(&order, "abc", 2, 40)).unwrap(), old, "and is still written so");
        for course in [mixed([0.7, 0.3], 100), sorted(5)] {
            let state = State::new(&course, "abc", 2, 40);
            assert_eq!(state.version, 2);
            let read = State::read(&serde_json::to_string(&state).unwrap()).unwrap();
            assert_eq!((read.check(&course, "abc"), &read), (Ok(()), &state));
        }
        assert_eq!(State::read(r#"{"version":3,"moon":"full"}"#), Err(StateError::Newer { version: 3 }));
        for wrong in ["{}", "[]", r#"{"version":1}"#, &old.replace("epoch", "epoche")] {
            assert!(matches!(State::read(wrong), Err(StateError::Unreadable { .. })), "{wrong}");
        }
    }
}
