//! Reports that leave the process: a loader answers on a Unix socket, and whoever may open that asks.
//!
//! It is HTTP/1.1: `/report` is the report as JSON, `/metrics` the same for Prometheus, `/health` whether the loader is there. One thread
//! for each socket, which sleeps until it is asked; at most [`CLIENTS_MAX`] clients at once, none of which can hold it up. Only who
//! owns the process may open the socket. Nothing that comes from a client changes anything. Start in `endpoint`.

mod answer;
mod ask;
mod endpoint;
mod exposition;
mod http;
mod place;
mod quiet;
mod socket;
mod told;

pub use ask::{AskError, ask};
pub use endpoint::{CLIENTS_MAX, Endpoint};
pub use exposition::exposition;
pub use http::{REQUEST_MAX, Refusal, Request, Response};
pub use place::{FOLDER, Place, default_folder, sockets};
pub use quiet::{go_on, hold_still};
pub use socket::ServeError;
pub use told::Told;
