//! What the teams of the example do: each habit is a kind of work that some people hand in, at some hours, in some sizes.
//! The numbers are made up, to look like what laboratories are known for.

use super::draw::{Quantiles, Weighted};

/// When people hand work in: weights of the hours of a working day and of a day at the weekend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// From nine to seven, hardly at the weekend.
    Office,
    /// At the end of the day, to run through the night.
    Evening,
    /// By themselves, day and night.
    Steady,
}

impl Rhythm {
    /// The weight of an hour of the day, and a hundred on average over a week.
    pub(super) fn weight(self, hour: u32, weekend: bool) -> u64 {
        match (self, weekend, hour) {
            (Self::Office, false, 9..=18) => 290,
            (Self::Office, false, 19..=22) => 70,
            (Self::Office, true, 10..=20) => 50,
            (Self::Office, ..) => 14,
            (Self::Evening, false, 16..=20) => 480,
            (Self::Evening, false, 9..=15) => 90,
            (Self::Evening, true, 14..=20) => 110,
            (Self::Evening, ..) => 10,
            (Self::Steady, ..) => 100,
        }
    }
}

/// A kind of work.
#[derive(Debug)]
pub(super) struct Habit {
    pub(super) queue: &'static str,
    pub(super) users: &'static [&'static str],
    /// What its projects are called; a project lasts about a week and has a length of run of its own.
    pub(super) names: &'static [&'static str],
    /// So many times a week somebody hands in work of this kind.
    pub(super) per_week: u64,
    pub(super) rhythm: Rhythm,
    /// So many workloads at a time: more than one is a sweep, an array of like workloads.
    pub(super) at_once: (i64, i64),
    pub(super) devices: Weighted<u32>,
    pub(super) cores_per_device: Weighted<u64>,
    pub(super) memory_gib_per_device: Weighted<u64>,
    /// How long a project's runs usually take.
    pub(super) minutes: Quantiles,
    /// One run against the project's usual, in thousandths.
    pub(super) noise: Quantiles,
    pub(super) limit_hours: Weighted<i64>,
    pub(super) ends: Ends,
    /// Thousandths of its time in which a device does something.
    pub(super) device_busy: (i64, i64),
    /// Thousandths of the cores asked for that are used.
    pub(super) cores_used: (i64, i64),
    /// Thousandths of the memory asked for that are used at the peak.
    pub(super) memory_used: (i64, i64),
    pub(super) checkpoint_minutes: Option<i64>,
}

/// How many of a thousand runs do not complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) failed: u64,
    pub(super) out_of_memory: u64,
    pub(super) cancelled: u64,
}

/// How far into its run a failing workload gets, in thousandths: most fail early.
pub(super) const FAILS_AT: Quantiles = &[(0, 2), (500, 30), (800, 150), (950, 700), (1_000, 1_000)];

const STEADY_NOISE: Quantiles = &[(0, 700), (200, 880), (800, 1_120), (1_000, 1_500)];
const WILD_NOISE: Quantiles = &[(0, 60), (200, 500), (500, 950), (800, 1_400), (950, 2_400), (1_000, 4_000)];

/// All kinds of work.
pub(super) const ALL: &[Habit] = &[
    Habit {
        queue: "language",
        users: &["ada", "boris", "chen"],
        names: &["pretrain", "continue", "instruct", "longctx"],
        per_week: 13,
        rhythm: Rhythm::Office,
        at_once: (1, 1),
        devices: &[(40, 8), (45, 16), (15, 32)],
        cores_per_device: &[(100, 10)],
        memory_gib_per_device: &[(100, 96)],
        minutes: &[(0, 120), (300, 420), (700, 1_100), (950, 2_200), (1_000, 3_600)],
        noise: STEADY_NOISE,
        limit_hours: &[(80, 72), (20, 48)],
        ends: Ends { failed: 130, out_of_memory: 30, cancelled: 50 },
        device_busy: (780, 960),
        cores_used: (300, 600),
        memory_used: (300, 700),
        checkpoint_minutes: Some(60),
    },
    Habit {
        queue: "vision",
        users: &["dana", "emil", "farid", "gita", "hugo"],
        names: &["resnet", "segment", "detect", "diffuse", "finetune"],
        per_week: 85,
        rhythm: Rhythm::Office,
        at_once: (1, 2),
        devices: &[(30, 1), (25, 2), (25, 4), (20, 8)],
        cores_per_device: &[(70, 8), (30, 12)],
        memory_gib_per_device: &[(100, 64)],
        minutes: &[(0, 5), (250, 50), (500, 150), (800, 420), (950, 1_100), (1_000, 2_400)],
        noise: WILD_NOISE,
        limit_hours: &[(70, 24), (20, 48), (10, 72)],
        ends: Ends { failed: 180, out_of_memory: 40, cancelled: 60 },
        device_busy: (350, 850),
        cores_used: (500, 950),
        memory_used: (200, 600),
        checkpoint_minutes: Some(30),
    },
    Habit {
        queue: "speech",
        users: &["irma", "jonas"],
        names: &["sweep-lr", "sweep-aug", "sweep-size"],
        per_week: 9,
        rhythm: Rhythm::Evening,
        at_once: (24, 64),
        devices: &[(100, 1)],
        cores_per_device: &[(100, 8)],
        memory_gib_per_device: &[(100, 48)],
        minutes: &[(0, 25), (500, 70), (900, 130), (1_000, 200)],
        noise: STEADY_NOISE,
        limit_hours: &[(100, 24)],
        ends: Ends { failed: 60, out_of_memory: 10, cancelled: 20 },
        device_busy: (500, 800),
        cores_used: (500, 900),
        memory_used: (200, 400),
        checkpoint_minutes: None,
    },
    Habit {
        queue: "robotics",
        users: &["kira", "leon", "mira"],
        names: &["simulate", "grasp", "walk"],
        per_week: 48,
        rhythm: Rhythm::Evening,
        at_once: (1, 3),
        devices: &[(100, 1)],
        // A physics simulation beside each device: three of these fill a node's cores and leave five devices bare.
        cores_per_device: &[(60, 28), (40, 32)],
        memory_gib_per_device: &[(100, 80)],
        minutes: &[(0, 60), (500, 360), (900, 900), (1_000, 1_800)],
        noise: STEADY_NOISE,
        limit_hours: &[(60, 48), (40, 72)],
        ends: Ends { failed: 90, out_of_memory: 20, cancelled: 40 },
        device_busy: (150, 400),
        cores_used: (850, 990),
        memory_used: (300, 600),
        checkpoint_minutes: None,
    },
    Habit {
        queue: "notebooks",
        users: &["ada", "chen", "emil", "farid", "gita", "irma", "leon", "mira", "nora", "omar"],
        names: &["notebook"],
        per_week: 55,
        rhythm: Rhythm::Office,
        at_once: (1, 1),
        devices: &[(90, 1), (10, 2)],
        cores_per_device: &[(100, 8)],
        memory_gib_per_device: &[(100, 64)],
        minutes: &[(0, 30), (200, 180), (500, 480), (700, 719), (1_000, 900)],
        noise: STEADY_NOISE,
        limit_hours: &[(100, 12)],
        ends: Ends { failed: 10, out_of_memory: 10, cancelled: 700 },
        device_busy: (10, 90),
        cores_used: (10, 80),
        memory_used: (50, 300),
        checkpoint_minutes: None,
    },
    Habit {
        queue: "evaluation",
        users: &["ci-bot"],
        names: &["nightly", "regress", "leaderboard"],
        per_week: 240,
        rhythm: Rhythm::Steady,
        at_once: (1, 2),
        devices: &[(75, 1), (25, 2)],
        cores_per_device: &[(100, 8)],
        memory_gib_per_device: &[(100, 48)],
        minutes: &[(0, 4), (500, 18), (900, 45), (1_000, 90)],
        noise: STEADY_NOISE,
        limit_hours: &[(90, 4), (10, 24)],
        ends: Ends { failed: 50, out_of_memory: 5, cancelled: 5 },
        device_busy: (300, 700),
        cores_used: (300, 700),
        memory_used: (200, 500),
        checkpoint_minutes: None,
    },
];
