//! Bar 2: traces of PyTorch's profiler, held against what HolisticTraceAnalysis 0.5.0 says of them. Every trace that `expected.json`
//! of the folder names is; what is not in there, `hta` asks of it.

use anyhow::Context;
use serde_json::Value;

use super::{answer, hta};
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 2;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(folder) = session.data(BAR, "kineto") else { return Ok(()) };
    let text = std::fs::read_to_string(folder.join("expected.json")).context("cannot read expected.json")?;
    let expected: Value = serde_json::from_str(&text).context("expected.json is no JSON")?;
    let venv = hta::venv()?;
    for (file, expected) in expected.as_object().context("expected.json is no object")? {
        let told = answer::of(&folder.join(file))?;
        let worst = worst(expected, &told["figures"]).with_context(|| file.clone())?;
        let name = file.trim_end_matches(".json.gz");
        let case = format!("{name}: {} shares, the worst off by", worst.shares);
        session.add(Row::new(BAR, case, worst.share_points, Target::AtMost(0.1), "points"));
        let case = format!("{name}: {} times, the worst ({}) off by", worst.times, worst.time);
        session.add(Row::new(BAR, case, worst.time_percent, Target::AtMost(0.1), "%"));
        hta::rows(session, BAR, &venv, &folder.join(file), name, &told["figures"])?;
    }
    Ok(())
}

/// How far figures are off at most.
#[derive(Default)]
pub(super) struct Worst {
    shares: u32,
    share_points: f64,
    pub(super) times: u32,
    pub(super) time: String,
    pub(super) time_percent: f64,
}

impl Worst {
    fn share(&mut self, expected: f64, told: f64) {
        self.shares += 1;
        // Two decimals are published.
        self.share_points = self.share_points.max((expected - told).abs() - 0.005);
    }

    pub(super) fn time(&mut self, name: &str, expected: f64, told: f64) {
        self.times += 1;
        let off = match expected {
            0.0 if told == 0.0 => 0.0,
            0.0 => f64::INFINITY,
            expected => 100.0 * (told / expected - 1.0).abs(),
        };
        if off > self.time_percent || self.time.is_empty() {
            (self.time, self.time_percent) = (name.to_owned(), off.max(self.time_percent));
        }
    }
}

fn worst(expected: &Value, told: &Value) -> anyhow::Result<Worst> {
    let mut worst = Worst::default();
    let number = |value: &Value| value.as_f64().with_context(|| format!("{value} is no number"));
    let total = number(&told["temporal"]["total_us"])?;
    for (field, ours, share) in [
        ("idle_time(us)", "idle_us", Some("idle_time_pctg")),
        ("compute_time(us)", "compute_us", Some("compute_time_pctg")),
        ("non_compute_time(us)", "non_compute_us", Some("non_compute_time_pctg")),
        ("kernel_time(us)", "total_us", None),
    ] {
        let us = number(&told["temporal"][ours])?;
        worst.time(field, number(&expected["temporal"][field])?, us);
        if let Some(share) = share {
            worst.share(number(&expected["temporal"][share])?, 100.0 * us / total);
        }
    }
    worst.share(
        number(&expected["comm_comp_overlap_pct"])?,
        100.0 * told["overlapped_communication"].as_f64().unwrap_or(0.0),
    );
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for idle in list(&expected["idle_by_stream"]) {
        let category = idle["category"].as_str().context("a category")?;
        let ours = list(&told["idle"]).into_iter().find(|ours| ours["stream"] == idle["stream"]);
        let ours = ours.with_context(|| format!("stream {} is not told", idle["stream"]))?;
        let name = format!("stream {} {category}", idle["stream"]);
        worst.time(&name, number(&idle["idle_us"])?, number(&ours[format!("{category}_us")])?);
    }
    for overlap in list(&expected["kernel_type_us"]) {
        let kinds = overlap["type"].as_str().context("a type")?;
        let ours = list(&told["overlaps"]).into_iter().find(|ours| {
            let named: Vec<String> =
                list(&ours["kinds"]).iter().map(|kind| kind.as_str().unwrap_or("").to_owned()).collect();
            named.join(" overlapping ") == kinds
        });
        worst.time(kinds, number(&overlap["sum_us"])?, ours.map_or(Ok(0.0), |ours| number(&ours["us"]))?);
    }
    for kernel in list(&expected["top_kernels"]) {
        let name = kernel["name"].as_str().context("a name")?;
        let matches = |ours: &&Value| ours["name"].as_str() == Some(name) && ours["work"] == kernel["kernel_type"];
        let kernels = list(&told["kernels"]);
        let ours = kernels.iter().find(matches).with_context(|| format!("{name} is not told"))?;
        for (field, of_ours) in [
            ("sum (us)", "sum_us"),
            ("max (us)", "max_us"),
            ("min (us)", "min_us"),
            ("mean (us)", "mean_us"),
            ("stddev", "deviation_us"),
        ] {
            let begins = name.split(['<', '(']).next().unwrap_or_default();
            worst.time(&format!("{field} of {begins}"), number(&kernel[field])?, number(&ours[of_ours])?);
        }
    }
    Ok(worst)
}
