//! Standard output: data, and nothing else.

use std::io::Write;

use crate::failure::{Failure, Outcome};

/// Prints it. Whoever reads may go away in the middle, as `| head` does.
pub(crate) fn print(text: &str) -> Outcome {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::writing("standard output", &error))
}
