//! The REST API and the dashboard: what the store holds, shown; what people ask for, handed to the control plane.
//!
//! It reads the store and never writes it. Whatever changes anything is a [`Call`] to the control loop, which owns the state. Nobody is
//! let in without a token, wherever they come from, and no page of another site can use a browser's: see `access`. Start reading
//! at [`serve()`].

mod access;
mod agents;
mod agree;
mod agreement;
mod api;
mod attempts;
mod body;
mod busy;
mod dry_run;
mod failure;
mod foresee;
mod found;
mod listen;
mod logs_kept;
#[cfg(test)]
mod made;
mod mute;
mod object;
mod page;
mod plane;
mod queues;
mod recommended;
mod reports;
mod running;
mod serve;
mod session;
mod state;
mod tally;

pub use access::{Access, Rights, Token};
pub use agreement::{Agreement, NotAgreed};
pub use api::openapi;
pub use dry_run::{Difference, dry_run};
pub use found::cost_a_day;
pub use listen::{Certificate, Listen, Speaks, Unusable};
pub use logs_kept::LogsKept;
pub use plane::{Answer, Busy, Call, Plane, Standing, Told};
pub use reports::{NotTaken, Numbered, Receipt, Reports, source_on, unfit_node};
pub use serve::{Serving, serve};
pub use state::{RECOMMENDATIONS, RuleOf, SignalsOf, State};
