//! The dashboard and what guards it, through a bound server on loopback: over plain sockets, and in a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod applied;
mod browser;
mod chromium;
mod findings;
mod guard;
mod http;
mod made;
mod pages;
mod rig;
mod samples;
mod start;
mod tls;
