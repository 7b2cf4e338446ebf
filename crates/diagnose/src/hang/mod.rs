//! Hangs: which ranks did not enter the collective that all others wait in.
//!
//! [`read()`] takes the dump of one rank that PyTorch's flight recorder wrote, [`hang()`] puts those of all ranks together. Dumps tell
//! who did not come, and never why.

mod dump;
mod finding;
mod matrix;
mod pickled;
mod read;
mod wait;

pub use dump::{Call, Dump, Group};
pub use finding::findings;
pub use matrix::{GROUPS_SHOWN, Last, Matrix, RANKS_SHOWN, matrix};
pub use pickled::is_pickled_dump;
pub use read::{CALLS_MAX, is_dump, rank_of_name, read};
pub use wait::{Hang, Missed, hang};
