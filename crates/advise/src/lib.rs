//! Findings into recommendations: what a history's fleet wasted, what would have been better, proved by replaying it.
//!
//! Pure: no IO, no threads, no clock. Start reading at [`optimize`](optimize::optimize); the rules are in [`recommend`], one file each.

pub mod ground;
pub mod hours;
pub mod late;
pub mod lived;
pub mod optimize;
pub mod question;
pub mod recommend;
pub mod report;
pub mod slow;
pub mod timeline;
pub mod verify;
pub mod waste;
pub mod window;
