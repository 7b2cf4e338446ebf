//! Every benchmark there is.

use super::session::Session;
use super::{diagnose, feed, live, oracle, speed};

/// A benchmark: a name to call it by, and what it does.
pub(crate) struct Bench {
    /// What the person types.
    pub(crate) name: &'static str,
    /// What it measures, in half a line.
    pub(crate) about: &'static str,
    /// Measures: takes data from the session, and gives it rows.
    pub(crate) run: fn(&mut Session) -> anyhow::Result<()>,
}

/// All of them, in the order in which they are listed.
pub(crate) const ALL: &[Bench] = &[
    Bench {
        name: "oracle",
        about: "what replays say, held against records and rivals (bars 1 to 5)",
        run: oracle::run,
    },
    Bench { name: "speed", about: "how long the main jobs take (bars 6 to 8)", run: speed::run },
    Bench {
        name: "live",
        about: "`trimtab up`: kills, throughput, load, rest, hostile requests, its page, its answers (bars 1 to 7)",
        run: live::run,
    },
    Bench {
        name: "feed",
        about: "training data: images, tokens, resume, stores, tuning, bad input, beside DALI, torch and LitData (bars 1 to 10)",
        run: feed::run,
    },
    Bench {
        name: "diagnose",
        about: "what is said of profiles, traces and logs of others, held against what is known of them; the history of series (bars 1 to 10)",
        run: diagnose::run,
    },
];
