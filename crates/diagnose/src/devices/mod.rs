//! Devices as their vendors' tools list them: one moment, and what is wrong at it.

mod device;
mod exposition;
mod nvidia_smi;
mod rocm_smi;
mod rules;

pub use device::{Device, HeldDown, Recovery, Rows};
pub use exposition::{Scrape, is_scrape, read as read_scrape};
pub use nvidia_smi::{is_list as is_nvidia_smi, read as read_nvidia_smi};
pub use rocm_smi::{is_list as is_rocm_smi, read as read_rocm_smi};
pub(crate) use rules::UNVALIDATED;
pub use rules::{ALL, Rule, findings};
