//! The nouns of Trimtab: what a fleet is made of, what is run on it, what happened, and the records kept of it.
//!
//! This crate holds data and the arithmetic that belongs to it. It decides nothing, and it must never touch a clock, a
//! file, a socket or the environment: readers take a [`std::io::BufRead`], writers a [`std::io::Write`].
//!
//! Start reading at [`workload`] (what someone wants run), [`node`] (where it can run), then [`event`] and [`action`]
//! (what the engine hears and says), then [`history`] (the file everything replays).

pub mod action;
pub mod event;
pub mod finding;
pub mod fleet_file;
pub mod health;
pub mod history;
pub mod ids;
pub mod kept_finding;
pub mod live;
pub mod money;
pub mod names;
pub mod node;
pub mod notice;
pub mod policy;
pub mod problem;
pub mod quantity;
pub mod queue;
pub mod recommendation;
pub mod series;
pub mod signal;
pub mod step;
pub mod text;
pub mod time;
pub mod workload;
