//! Who runs where and when.
//!
//! [`Engine`] is the one engine for the past, the present and the future: the control plane feeds it what happens, a replay feeds
//! it what happened, and both carry out what it says. It owns its indexed state and nothing else: no clock, thread, socket,
//! file or random source, and its input has no field for how long a workload will really run.
//!
//! Start reading at [`Engine::observe`] and [`Engine::decide`]; the policies are in `policy`, one file each.

mod by_id;
mod cluster;
mod engine;
mod placement;
mod policy;
pub mod predict;
mod queues;

pub use engine::{Budget, Engine, Ignored, Kept, Observed, Reason, Run};
pub use policy::ALLOWANCE_MAX;
pub use queues::Limit;
