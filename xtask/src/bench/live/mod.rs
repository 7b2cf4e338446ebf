//! `cargo xtask bench live`: a file or folder for each bar. `trimtab up` as it is shipped, driven from outside on this machine.

mod all_at_once;
mod busy;
mod hostile;
mod idle;
mod kills;
mod overview;
mod philly;

use live_rig::Installation;

use super::program;
use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] = &[
    (1, kills::run),
    (2, all_at_once::run),
    (3, busy::run),
    (4, idle::run),
    (5, hostile::run),
    (6, overview::run),
    (7, philly::run),
];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}

/// A new installation of the program that is shipped.
fn installation() -> anyhow::Result<Installation> {
    Installation::new(program::build()?)
}
