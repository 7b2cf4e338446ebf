//! What a replay is judged by: waits, slowdowns, who fares worst, how sure that is.

mod bootstrap;
mod compare;
mod realised;
mod spread;
mod waits;

pub use bootstrap::interval_of_mean;
pub use compare::{Difference, compare};
pub use realised::realised;
pub use spread::Spread;
pub use waits::{Group, SLOWDOWN_FLOOR, Waits, slowdown, waits};
