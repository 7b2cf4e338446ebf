//! Runs on this machine, with real processes. The program is also the watcher of the runs that it starts, and the control plane
//! that is killed: so it has a `main` of its own.
#![expect(clippy::unwrap_used, reason = "all of it is tests, which clippy does not see without the usual harness")]

mod crash;
mod ends;
mod many;
mod output;
mod owner;
mod rig;
mod stops;
mod surroundings;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test: its name, and what it does; it fails by panicking.
type Test = (&'static str, fn());

const ALL: [&[Test]; 6] = [ends::ALL, stops::ALL, output::ALL, surroundings::ALL, many::ALL, crash::ALL];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == rig::WATCHER => return connect::machine::watch(arguments),
        Some(word) if word == owner::OWNER => return owner::own(arguments),
        _ => {}
    }
    let trial = |(name, test): &Test| {
        let test = *test;
        Trial::test(*name, move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    let trials = ALL.iter().copied().flatten().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
