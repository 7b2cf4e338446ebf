//! Bar 6: the overview in a real browser, of 10,000 devices and 100,000 workloads. The test that draws it measures; here it is optimised.

use anyhow::{Context, ensure};

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::workspace;

const BAR: u32 = 6;
const WORKLOADS: u32 = 100_000;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let mut test = workspace::cargo();
    test.args(["test", "--quiet", "--release", "--package", "server", "--test", "dashboard", "--", "--nocapture"]);
    test.arg("ten_thousand_devices_are_drawn").env("TRIMTAB_DASHBOARD_WORKLOADS", WORKLOADS.to_string());
    let output = test.output().context("cargo did not start")?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ensure!(output.status.success(), "the pages cannot be drawn:\n{said}");
    // `/: first contentful paint after 340 ms, 51000 bytes transferred, 100000 workloads`
    let Some(line) = said.lines().find_map(|line| line.trim().strip_prefix("/: first contentful paint after ")) else {
        session.skip(BAR, "there is no browser: apt-get install chromium".to_owned());
        return Ok(());
    };
    let mut numbers = line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse::<f64>().ok());
    let [paint_ms, bytes] = [numbers.next(), numbers.next()].map(|number| number.unwrap_or(f64::INFINITY));
    let of = format!("overview of 10,000 devices and {WORKLOADS} workloads");
    session.add(Row::new(BAR, format!("first contentful paint, {of}"), paint_ms, Target::AtMost(1_000.0), "ms"));
    session.add(Row::new(BAR, format!("transferred, {of}"), bytes / 1e3, Target::AtMost(500.0), "kB"));
    Ok(())
}
