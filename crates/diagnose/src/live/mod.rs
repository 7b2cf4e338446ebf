//! What runs now: signals of a node and steps of its jobs in, findings out, as they come.
//!
//! [`Watch`] is told what was measured (`scrape`) and what step clocks say (`heard`), and asked what is wrong (`evaluate`). A job is held
//! against its own past (`usual`), and what its steps take longer is attributed: `excess` works out what each rank and each phase
//! costs, and each file of `cause` says whether its mechanism is at work there and how much of it that explains. Causes are
//! exclusive: no microsecond is explained twice. `life` opens, updates and closes findings without flapping.

mod cause;
mod crash;
mod excess;
mod hang;
mod job;
mod kernel;
mod life;
mod node;
mod row;
mod rule;
mod signals;
mod usual;
mod watch;

pub use life::{Change, Open};
pub use rule::{Rule, rules};
pub use watch::Watch;
