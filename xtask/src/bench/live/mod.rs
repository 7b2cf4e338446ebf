//! `cargo xtask bench live`: bars 1 to 5, a file each. `trimtab up` as it is shipped, driven from outside on this machine.

mod all_at_once;
mod busy;
mod hostile;
mod idle;
mod kills;

use live_rig::Installation;

use super::program;
use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] = &[(1, kills::run), (2, all_at_once::run), (3, busy::run), (4, idle::run), (5, hostile::run)];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}

/// A new installation of the program that is shipped.
fn installation() -> anyhow::Result<Installation> {
    Installation::new(program::build()?)
}
