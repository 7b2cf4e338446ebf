//! The only code that touches the outside: files, the job logs of other systems, and (in `machine`) this machine.
//!
//! One directory per outside system. Its readers are pure: they take a [`std::io::BufRead`] and hand out the records of a
//! [`fleet::history`] one by one, in bounded memory whatever the size of the log. What cannot be read is reported and left
//! out whole. Start at [`import`] (what every reader takes and gives), then [`philly`], the shortest of them.

pub mod bound;
pub mod csv;
pub mod exporter;
pub mod file;
pub mod http;
pub mod import;
#[cfg(target_os = "linux")]
pub mod machine;
pub mod moment;
pub mod notice;
pub mod number;
pub mod parquet;
pub mod philly;
pub mod slurm;
#[cfg(target_os = "linux")]
pub mod steps;
pub mod swf;
