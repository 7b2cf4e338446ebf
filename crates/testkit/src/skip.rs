//! Saying that a test was skipped, so that it cannot be mistaken for one that passed.

use std::fmt::{self, Display};
use std::fs::OpenOptions;
use std::io::Write;

/// The variable naming the file to which every skip is appended, one line each. `cargo xtask test` sets it.
pub const SKIP_LOG_ENV: &str = "TRIMTAB_SKIP_LOG";

/// What a skipped test would have needed. Closed, so that a run of CI can be held to having all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A file of the shared data, beside the workspace.
    SharedData,
    /// Slurm's daemons and what they stand on: `slurm-wlm`, `slurmdbd`, `munge`, `mariadb-server`.
    Slurm,
    /// A program that is not part of a plain machine, such as a browser.
    Program,
    /// A right that this user lacks, such as making device nodes.
    Privilege,
}

impl Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedData => "shared-data",
            Self::Slurm => "slurm",
            Self::Program => "program",
            Self::Privilege => "privilege",
        })
    }
}

/// Skips the rest of the enclosing test: records the reason, then returns from it.
///
/// The test must return `()`. The reason is a format string and its arguments: what is absent, and how to get it.
///
/// ```no_run
/// fn asks_a_real_slurm() {
///     if !std::path::Path::new("/nowhere/slurmctld").exists() {
///         testkit::skip!(testkit::Need::Slurm, "slurmctld is not installed: apt-get install slurm-wlm");
///     }
///     unreachable!("there is no such file");
/// }
/// asks_a_real_slurm();
/// ```
#[macro_export]
macro_rules! skip {
    ($need:expr, $($reason:tt)+) => {{
        fn here() {}
        $crate::record_skip($need, $crate::enclosing_function(here), &::std::format!($($reason)+));
        return;
    }};
}

/// The path of a function from one declared inside it: `replay::tests::gaia` from `replay::tests::gaia::here`.
///
/// Threads are no guide: libtest runs a test on the main thread when there is only one.
#[must_use]
pub fn enclosing_function<F>(_inner: F) -> &'static str {
    let inner = std::any::type_name::<F>();
    inner.rsplit_once("::").map_or(inner, |(outer, _)| outer)
}

/// Says on stderr, and in the file that [`SKIP_LOG_ENV`] names, that `test` was skipped. Use it through [`skip!`].
///
/// # Panics
///
/// When that file cannot be appended to: a skip that nobody hears of must not pass for a success.
pub fn record_skip(need: Need, test: &str, reason: &str) {
    eprintln!("skip: {test}: {reason}");
    let Some(log) = std::env::var_os(SKIP_LOG_ENV) else {
        return;
    };
    let line = log_line(need, test, reason);
    // One write in append mode: tests of several processes append at the same time.
    let written =
        OpenOptions::new().append(true).create(true).open(&log).and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        panic!("{SKIP_LOG_ENV}={}: cannot append the skip of {test}: {error}", log.display());
    }
}

/// `need`, test and reason divided by tabs; whatever would break the line becomes a space.
fn log_line(need: Need, test: &str, reason: &str) -> String {
    let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    format!("{need}\t{}\t{}\n", plain(test), plain(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_path() {
        fn here() {}
        assert_eq!(enclosing_function(here), "testkit::skip::tests::a_function_is_named_by_its_path");
    }

    #[test]
    fn a_reason_of_two_lines_stays_on_one() {
        assert_eq!(log_line(Need::Slurm, "a::b", "one\ntwo\tthree"), "slurm\ta::b\tone two three\n");
    }
}
