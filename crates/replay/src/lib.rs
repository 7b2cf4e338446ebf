//! A history lived again under other choices, through the engine that runs live, with a virtual clock.
//!
//! Pure: reads a history from a [`std::io::BufRead`], returns what came of it. Only the world in here knows how long work
//! really takes.
//!
//! Start reading at [`history::History`], then [`scenario::Scenario`], [`setup::Setup`] and [`run()`].

pub mod fidelity;
pub mod forecast;
pub mod foresight;
pub mod forward;
pub mod history;
pub mod measure;
pub mod outcome;
pub mod possible;
mod run;
pub mod scenario;
pub mod seed;
pub mod setup;
mod spread;
pub mod starts;
mod world;

pub use run::{Observer, run, run_observed};
