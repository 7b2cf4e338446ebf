//! What Trimtab keeps on this machine: one SQLite file.
//!
//! The log of [`fleet::live::Entry`]s is what is true. Tables beside it hold what the log adds up to, so that nobody reads the whole log
//! to list a page; they change in the same transaction, and [`check()`] adds the log up again and compares. What was acknowledged by
//! [`Store::commit`] is on the disk; what was not is either there whole or not at all.
//!
//! Series of measurements lie in the same file, in compressed chunks ([`Store::append_scrapes`], [`Reader::values`]); they are no part of the log.
//!
//! What an agent on another machine keeps while it is cut off lies in a folder of its own ([`Spool`]); what such agents hand in is taken with
//! [`Store::take_reports`].
//!
//! One process writes ([`Store`], held by a lock), any number read ([`Reader`]). It decides nothing and has no clock. Start reading at
//! [`Store::commit`], then [`Reader::page`].

mod agents;
mod backup;
mod check;
mod commit;
mod connection;
mod entries;
mod error;
mod export;
mod findings;
mod json;
mod ledger;
mod load;
mod lock;
mod nodes;
mod page;
mod reader;
mod rules;
mod samples;
mod schema;
mod series;
mod spool;
mod state;
mod workloads;
mod writer;

pub use agents::{
    AGENTS_MAX, AgentReport, OPEN_MAX, REPORT_BYTES_MAX, REPORT_INFLATED_MAX, SPOOLS_MAX, StoredAgent, Taken, Unfit,
    Wrong, read_inflated_report,
};
pub use backup::{Existing, backup};
pub use check::{Report, check};
pub use error::{Fault, StoreError};
pub use export::export;
pub use findings::{FindingQuery, FindingRetention, Noted};
pub use ledger::{Consent, ConsentId, Deed, LedgerLine};
pub use load::Loaded;
pub use nodes::{NodeStanding, StoredNode};
pub use page::{Counts, Page, Query, Row};
pub use reader::Reader;
pub use samples::{DeviceFilter, Lately, Mean, MeanQuery, Retention, Sample, SampleQuery};
pub use schema::VERSION;
pub use series::{
    CHUNK_SCRAPES, Interval, IntervalLine, IntervalQuery, Latest, Line, Pin, Point, Reading, Retained,
    SCRAPE_VALUES_MAX, SERIES_MAX, SERIES_RULES, Scrape, Scrapes, Series, SeriesQuery, SeriesRule, SeriesRules,
    StoredSeries, ValueQuery, read_as_anything,
};
pub use spool::{Batch, Frame, Frames, RECORD_BYTES_MAX, SPOOL_MIN, Spool, Waiting};
pub use state::State;
pub use writer::Store;
