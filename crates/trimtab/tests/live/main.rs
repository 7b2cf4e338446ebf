//! `trimtab up` as a person meets it, from outside: its commands, its ends, and that it can be killed at any moment.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]
#![cfg(target_os = "linux")]

mod agents;
mod agreed;
mod commands;
mod elsewhere;
mod ends;
mod findings;
mod health;
mod logs;
mod notices;
mod refusals;
mod restarts;
mod room;
mod session;
mod storm;
mod tls;
