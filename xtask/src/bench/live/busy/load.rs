//! The load: few threads, each with the connections of several clients, each of which sends when it is due.
//!
//! A request is timed from the moment it was due, so that one who waits behind a slow answer counts as having waited.

use std::thread;
use std::time::{Duration, Instant};

use live_rig::{Client, Random};
use serde_json::json;

use super::full::COUNT;

const LENGTH: Duration = Duration::from_secs(60);
const THREADS: u32 = 10;
/// Clients of a thread that list, each once a second.
const LISTING: u32 = 10;
/// Clients of a thread that hand in, each twice a second.
const SUBMITTING: u32 = 1;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) lists_ms: Vec<f64>,
    pub(super) submits_ms: Vec<f64>,
    /// Answers that are not the right ones, and those that did not come.
    pub(super) errors: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    List,
    Submit,
}

/// A client, and when it sends next.
struct Sender {
    client: Client,
    what: What,
    due: Duration,
}

pub(super) fn run(address: &str, token: &str) -> anyhow::Result<Times> {
    let begun = Instant::now();
    let times = thread::scope(|threads| {
        let all: Vec<_> =
            (0..THREADS).map(|number| threads.spawn(move || send(number, begun, address, token))).collect();
        all.into_iter().map(|one| one.join().expect("a load does not panic")).collect::<Vec<Times>>()
    });
    Ok(times.into_iter().fold(Times::default(), |mut sum, one| {
        sum.lists_ms.extend(one.lists_ms);
        sum.submits_ms.extend(one.submits_ms);
        sum.errors.extend(one.errors);
        sum
    }))
}

/// One thread's clients, spread over their second.
fn send(number: u32, begun: Instant, address: &str, token: &str) -> Times {
    let mut random = Random::new(u64::from(number));
    let client = || Client::new(address, token);
    let due = |period: Duration, place: u32, of: u32| {
        let share = f64::from(place * THREADS + number) / f64::from(of * THREADS);
        period.mul_f64(share)
    };
    let listing = (0..LISTING).map(|place| (What::List, due(What::List.period(), place, LISTING)));
    let submitting = (0..SUBMITTING).map(|place| (What::Submit, due(What::Submit.period(), place, SUBMITTING)));
    let all = listing.chain(submitting).map(|(what, due)| Sender { client: client(), what, due });
    let mut senders: Vec<Sender> = all.collect();
    let mut times = Times::default();
    loop {
        let Some(sender) = senders.iter_mut().min_by_key(|sender| sender.due) else { return times };
        if sender.due >= LENGTH {
            return times;
        }
        let due = begun + sender.due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let answered = sender.send(&mut random);
        let time_ms = due.elapsed().as_secs_f64() * 1e3;
        match (answered, sender.what) {
            (Err(error), _) => times.errors.push(error),
            (Ok(()), What::List) => times.lists_ms.push(time_ms),
            (Ok(()), What::Submit) => times.submits_ms.push(time_ms),
        }
        sender.due += sender.what.period();
    }
}

impl What {
    fn period(self) -> Duration {
        match self {
            Self::List => Duration::from_secs(1),
            Self::Submit => Duration::from_millis(500),
        }
    }
}

impl Sender {
    fn send(&mut self, random: &mut Random) -> Result<(), String> {
        let (answer, expected) = match self.what {
            What::List => {
                let page = match random.below(4) {
                    0 => format!("&before={}", 1 + random.below(u64::from(COUNT))),
                    1 => "&state=failed".to_owned(),
                    2 => format!("&user=user-{}", random.below(40)),
                    _ => String::new(),
                };
                (self.client.get(&format!("workloads?limit=50{page}")), 200)
            }
            What::Submit => {
                let workload = json!({ "command": ["true"], "directory": "/", "request": { "cpu_milli": 50 } });
                (self.client.post("workloads", &json!({ "workloads": [workload] })), 201)
            }
        };
        let answer = answer.map_err(|error| format!("{error:#}"))?;
        if answer.status == expected {
            return Ok(());
        }
        Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)))
    }
}
