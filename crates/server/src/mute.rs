//! To mute a finding, and to take that back: the one way that pages and the API go.

use fleet::ids::FindingId;
use fleet::kept_finding::Mute;
use fleet::time::Timestamp;

use crate::api::reading;
use crate::failure::Failure;
use crate::found::absent;
use crate::page::now;
use crate::state::State;

/// A reason is no longer than this, in bytes.
const REASON_MAX: usize = 1_000;

/// Mutes a finding until a moment.
pub(crate) async fn mute(
    state: &State,
    id: FindingId,
    reason: String,
    until: Timestamp,
    by: String,
) -> Result<(), Failure> {
    let mute = checked(reason, until, by, now())?;
    if state.plane.mute(id, Some(mute)).await? { Ok(()) } else { Err(absent(id.0)) }
}

/// Takes a mute back. Whether there was one.
pub(crate) async fn unmute(state: &State, id: FindingId) -> Result<bool, Failure> {
    let reader = state.reader.clone();
    let found = reading(move || reader.finding(id)?.ok_or_else(|| absent(id.0))).await?;
    if found.mute.is_none() {
        return Ok(false);
    }
    if state.plane.mute(id, None).await? { Ok(true) } else { Err(absent(id.0)) }
}

fn checked(reason: String, until: Timestamp, by: String, at: Timestamp) -> Result<Mute, Failure> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.len() > REASON_MAX {
        let error = format!("`reason` has {} bytes, and 1 to {REASON_MAX} are expected", reason.len());
        return Err(Failure::unfit(error, "say why nobody needs to hear of it"));
    }
    if until <= at {
        return Err(Failure::unfit(format!("`until` is {until}, and that is over"), "say a moment that is to come"));
    }
    Ok(Mute { reason, until, by, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_has_a_reason_and_an_end_that_is_to_come() {
        let check = |reason: &str, until| checked(reason.into(), Timestamp(until), "ada".into(), Timestamp(5)).is_ok();
        assert!(check("known", 6) && check(&"x".repeat(REASON_MAX), 6));
        assert!(!check("known", 5) && !check(" \n", 6) && !check(&"x".repeat(REASON_MAX + 1), 6));
    }
}
