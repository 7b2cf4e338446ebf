//! A timeline as events of Chrome's trace format, which <https://ui.perfetto.dev> opens.
//!
//! A process is a worker in one of the two lives, a thread one of its lanes. A step begins at the same moment in both lives: so they
//! can be held against each other step by step, and what is free after the shorter is what stragglers cost. Written event by event.

use std::io::{self, Write};

use super::operation::Work;
use super::timeline::{Lane, Life, Timeline};

/// So many events are written of all steps, at most; that is about 100 MB, which a browser still opens. Of more, one step is.
pub const EVENTS_MAX: usize = 500_000;

/// The process that shows steps as wholes.
const STEPS_PID: usize = 1;

/// Which steps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All, or the one that stands for all where that would be too many events.
    Default,
    /// The one with this number.
    Step(u64),
}

/// The places of the steps that are written.
///
/// # Errors
/// If there is no step with the number that was chosen; says which there are.
pub fn chosen(timeline: &Timeline<'_>, chosen: Chosen) -> Result<Vec<usize>, String> {
    let trace = timeline.trace();
    match chosen {
        Chosen::Step(number) => match trace.steps.iter().position(|step| *step == number) {
            Some(place) => Ok(vec![place]),
            None => {
                let first = trace.steps.iter().take(5).map(u64::to_string).collect::<Vec<_>>().join(", ");
                let more = if trace.steps.len() > 5 { ", ..." } else { "" };
                Err(format!("it has no step {number} that is whole; it has {first}{more}"))
            }
        },
        Chosen::Default if trace.slots.len() * trace.lanes() * Life::ALL.len() <= EVENTS_MAX => {
            Ok((0..trace.steps.len()).collect())
        }
        Chosen::Default => Ok(vec![timeline.typical_step()]),
    }
}

/// Writes these steps (places, from [`chosen()`]); moments are microseconds, as the format has it.
///
/// # Errors
/// What the output answers.
pub fn write_chrome(timeline: &Timeline<'_>, steps: &[usize], out: &mut impl Write) -> io::Result<()> {
    let mut events = Events { out, any: false };
    events.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    names(timeline, &mut events)?;
    let mut begin_us = 0.0;
    for &step in steps {
        for life in Life::ALL {
            step_as_a_whole(timeline, life, step, begin_us, &mut events)?;
            operations(timeline, life, step, begin_us, &mut events)?;
        }
        let longest = Life::ALL.map(|life| timeline.step_seconds(life)[step]).into_iter().fold(0.0, f64::max);
        begin_us += microseconds(longest);
    }
    events.out.write_all(b"\n]}\n")
}

/// Events of a list, one a line.
struct Events<'a, W> {
    out: &'a mut W,
    any: bool,
}

impl<W: Write> Events<'_, W> {
    fn add(&mut self, event: std::fmt::Arguments<'_>) -> io::Result<()> {
        let begin: &[u8] = if self.any { b",\n" } else { b"\n" };
        self.any = true;
        self.out.write_all(begin)?;
        self.out.write_fmt(event)
    }

    /// A process, and where it stands among them.
    fn process(&mut self, pid: usize, name: &str) -> io::Result<()> {
        self.add(format_args!(r#"{{"ph":"M","name":"process_name","pid":{pid},"tid":0,"args":{{"name":"{name}"}}}}"#))?;
        self.add(format_args!(
            r#"{{"ph":"M","name":"process_sort_index","pid":{pid},"tid":0,"args":{{"sort_index":{pid}}}}}"#
        ))
    }

    fn thread(&mut self, pid: usize, tid: usize, name: &str) -> io::Result<()> {
        self.add(format_args!(
            r#"{{"ph":"M","name":"thread_name","pid":{pid},"tid":{tid},"args":{{"name":"{name}"}}}}"#
        ))?;
        self.add(format_args!(
            r#"{{"ph":"M","name":"thread_sort_index","pid":{pid},"tid":{tid},"args":{{"sort_index":{tid}}}}}"#
        ))
    }
}

/// Numbers of processes: those of a life follow each other, and no two are the same.
fn pid(timeline: &Timeline<'_>, life: Life, worker: usize) -> usize {
    STEPS_PID + 1 + life as usize * timeline.trace().ranks.len() + worker
}

fn names(timeline: &Timeline<'_>, events: &mut Events<'_, impl Write>) -> io::Result<()> {
    let trace = timeline.trace();
    events.process(STEPS_PID, "steps")?;
    for life in Life::ALL {
        events.thread(STEPS_PID, life as usize + 1, life.name())?;
    }
    let mut lanes = vec![[false; Lane::ALL.len()]; trace.stages as usize];
    for slot in &trace.slots {
        lanes[slot.stage as usize][Lane::of(slot.kind) as usize] = true;
    }
    for life in Life::ALL {
        for (worker, rank) in trace.ranks.iter().enumerate() {
            let (stage, dp_rank) = (worker / trace.dp_ranks, worker % trace.dp_ranks);
            let pid = pid(timeline, life, worker);
            events.process(pid, &format!("{}: dp_rank {dp_rank}, stage {stage} (rank {rank})", life.name()))?;
            for lane in Lane::ALL.into_iter().filter(|lane| lanes[stage][*lane as usize]) {
                events.thread(pid, lane as usize + 1, lane.name())?;
            }
        }
    }
    Ok(())
}

fn step_as_a_whole(
    timeline: &Timeline<'_>,
    life: Life,
    step: usize,
    begin_us: f64,
    events: &mut Events<'_, impl Write>,
) -> io::Result<()> {
    let number = timeline.trace().steps[step];
    let length = microseconds(timeline.step_seconds(life)[step]);
    let slowdown = timeline.slowdown(step);
    let tid = life as usize + 1;
    events.add(format_args!(
        r#"{{"ph":"X","name":"step {number}","cat":"step","pid":{STEPS_PID},"tid":{tid},"ts":{begin_us:.3},"dur":{length:.3},"args":{{"slowdown":{slowdown:.4}}}}}"#
    ))
}

fn operations(
    timeline: &Timeline<'_>,
    life: Life,
    step: usize,
    begin_us: f64,
    events: &mut Events<'_, impl Write>,
) -> io::Result<()> {
    let number = timeline.trace().steps[step];
    for span in timeline.spans(life, step) {
        let work = match span.kind.work() {
            Work::Computation => "computation",
            Work::Communication => "communication",
        };
        let (pid, tid) = (pid(timeline, life, span.worker), Lane::of(span.kind) as usize + 1);
        let (start, length) = (begin_us + microseconds(span.start_seconds), microseconds(span.seconds));
        let (kind, sequence) = (span.kind.name(), span.sequence);
        events.add(format_args!(
            r#"{{"ph":"X","name":"{kind}","cat":"{work}","pid":{pid},"tid":{tid},"ts":{start:.3},"dur":{length:.3},"args":{{"step":{number},"seq_id":{sequence}}}}}"#
        ))?;
    }
    Ok(())
}

fn microseconds(seconds: f64) -> f64 {
    seconds * 1e6
}
