//! For tests only: where the shared data lie, and a record of every test that was skipped and why.
//!
//! `cargo test` hides what a passing test prints, so a test that returns early looks like a test that held. Here a skip
//! is said twice: on stderr, and as a line of the file that `TRIMTAB_SKIP_LOG` names, which `cargo xtask test` prints at
//! its end (and counts as a failure under `--no-skips`). Start at [`skip!`] and [`shared_data!`].
//!
//! It reads the environment and files, so nothing but tests may depend on it.

mod shared;
mod skip;

pub use shared::{SHARED_DATA_ENV, find_shared_data};
pub use skip::{Need, SKIP_LOG_ENV, enclosing_function, record_skip};
