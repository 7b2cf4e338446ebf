//! One file per command. A command takes its arguments and what is global, and comes to an [`crate::failure::Outcome`];
//! standard output is for data, everything else goes to standard error.

pub(crate) mod agent;
pub(crate) mod apply;
pub(crate) mod cancel;
pub(crate) mod completion;
pub(crate) mod diagnose;
pub(crate) mod drain;
pub(crate) mod feed;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod logs;
pub(crate) mod nodes;
pub(crate) mod optimize;
pub(crate) mod policy;
pub(crate) mod queues;
pub(crate) mod replay;
pub(crate) mod store;
pub(crate) mod submit;
pub(crate) mod undo;
pub(crate) mod up;
pub(crate) mod why;
mod why_live;
