//! `cargo xtask bench feed`: a file for each bar. The Python package as it is shipped, beside its peers as they are shipped; each
//! in a process of its own, one after the other in turns, measured by what it does for each core-second.

mod bad;
mod http;
mod images;
mod memory;
mod peers;
mod photographs;
mod resume;
mod s3;
mod sets;
mod shards;
mod start;
mod tokens;
mod tuning;

use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] = &[
    (1, images::drawn),
    (2, images::kept),
    (3, tokens::run),
    (4, resume::run),
    (5, start::run),
    (6, http::run),
    (7, s3::run),
    (8, memory::run),
    (9, tuning::run),
    (10, bad::run),
];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}
