//! The built-in example.

use crate::failure::{Failure, Outcome};
use crate::opened::Opened;

/// Opens it.
pub(crate) fn open() -> Outcome<Opened> {
    Err(Failure::input("the example is not there yet; name a history"))
}
