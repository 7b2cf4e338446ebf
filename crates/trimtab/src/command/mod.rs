//! One file per command. A command takes its arguments and what is global, and comes to an [`crate::failure::Outcome`];
//! standard output is for data, everything else goes to standard error.

pub(crate) mod completion;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod optimize;
pub(crate) mod replay;
pub(crate) mod why;
