//! Agents on other machines: listed, and heard.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::extract::rejection::BytesRejection;
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use fleet::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{AgentReport, Frames};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

use super::{Part, Query, reading};
use crate::access::{Caller, Rights};
use crate::agents::{self, Agent};
use crate::failure::{Failure, Problem};
use crate::page::now;
use crate::reports::{NotTaken, Numbered, Receipt, Reports, source_on, unfit_node};
use crate::state::State;

/// The most bytes of reports that are handed in at once.
pub(crate) const REPORTS_BYTES_MAX: usize = 4 << 20;
/// The most bytes that they come to.
const INFLATED_MAX: usize = 64 << 20;
/// So many are read and stored at once; others wait. With [`INFLATED_MAX`] it bounds what they take of memory.
const AT_ONCE: usize = 4;
/// Letters of a spool's name.
const SPOOL_LETTERS: usize = 32;
/// Letters of a version.
const VERSION_MAX: usize = 64;

/// Who reads reports now.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Whether a request hands in reports: all that a token may do that may only report.
pub(crate) fn reports(method: &Method, path: &str) -> bool {
    let node = path.strip_prefix("/api/v1/agents/").and_then(|rest| rest.strip_suffix("/reports"));
    *method == Method::POST && node.is_some_and(|node| !node.contains('/'))
}

/// Agents, by node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agents {
    /// Them.
    agents: Vec<One>,
}

/// An agent on another machine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct One {
    /// Its node.
    node: String,
    /// Of which version it is.
    version: String,
    /// When it was first heard.
    first_heard_ms: i64,
    /// When it was last heard.
    heard_ms: i64,
    /// Whether that is more than 30 s ago: what it found may be over.
    is_silent: bool,
    /// How old its last report that was taken was then: more than some ten seconds where it catches up.
    behind_ms: Option<i64>,
    /// How far its clock is ahead of the one here; how long a report travels is in it.
    clock_ahead_ms: i64,
    /// Findings on its node that are open.
    findings_open: u64,
    /// Reports that were taken.
    reports_taken: u64,
    /// Reports that it lost before it could hand them in.
    reports_lost: u64,
    /// Reports that could not be taken, or not whole.
    reports_refused: u64,
}

impl From<Agent> for One {
    fn from(agent: Agent) -> Self {
        let Agent { stored, is_silent, open } = agent;
        Self {
            first_heard_ms: stored.first.0,
            heard_ms: stored.heard.0,
            is_silent,
            behind_ms: stored.behind().map(|behind| behind.0),
            clock_ahead_ms: stored.ahead().0,
            findings_open: open,
            reports_taken: stored.taken,
            reports_lost: stored.lost,
            reports_refused: stored.refused,
            node: stored.node,
            version: stored.version,
        }
    }
}

/// Agents on other machines that report here, by node.
#[utoipa::path(get, path = "/api/v1/agents", responses((status = 200, body = Agents)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Agents>, Failure> {
    let agents = reading(move || agents::list(&state.reader, now())).await?;
    Ok(Json(Agents { agents: agents.into_iter().map(One::from).collect() }))
}

/// Who hands in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sender {
    /// The name of the agent's spool, 32 hexadecimal letters: numbers of reports rise within it.
    spool: String,
    /// What time it is by the agent's clock.
    now_ms: i64,
    /// Of which version the agent is.
    version: String,
}

/// What became of what was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// All up to this number is on the disk here, or named below; null: none ever came of this spool.
    acknowledged: Option<u64>,
    /// What was not taken, or not whole.
    refused: Vec<RefusedReport>,
}

/// A report that was not taken, or not whole. It need not come again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedReport {
    /// Its number.
    number: u64,
    /// Why.
    why: String,
}

/// Reports of an agent, in order: records of its spool one after the other (docs/LIVE.md). What was taken before is taken once; with no body it is
/// told up to where that is. Takes a token that may report.
#[utoipa::path(post, path = "/api/v1/agents/{node}/reports", params(("node" = String, Path), Sender), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = Taken), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn report(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Extension(readers): Extension<Readers>,
    Part(node): Part<String>,
    Query(from): Query<Sender>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Taken>, Failure> {
    check(&caller, &node, &from)?;
    let body = body.map_err(|_| {
        let error = format!("reports have more than {} MiB", REPORTS_BYTES_MAX >> 20);
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, error, Some("hand in fewer at once"))
    })?;
    let heard = now();
    // Held until they are stored: a slow disk costs agents time, and nobody memory.
    let _reads = readers.0.acquire().await.map_err(Failure::broken)?;
    let reports = reading(move || read(&body)).await?;
    let Sender { spool, now_ms, version } = from;
    let reports = Reports { node, version, spool, heard, told: Timestamp(now_ms), reports };
    let Receipt { acknowledged, refused } = state.plane.reports(reports).await?.map_err(refusal)?;
    let refused = refused.into_iter().map(|(number, why)| RefusedReport { number, why }).collect();
    Ok(Json(Taken { acknowledged, refused }))
}

fn check(caller: &Caller, node: &str, from: &Sender) -> Result<(), Failure> {
    if let Some(why) = unfit_node(node) {
        return Err(Failure::bad(why, Some("name it with `trimtab agent --node`")));
    }
    if caller.rights == Rights::Report && caller.name != Caller::ANY_NODE && caller.name != node {
        let error = format!("this token reports for node `{}`, and for no other", caller.name);
        let hint = format!("say `--node {}`, or ask for a token for `{node}`", caller.name);
        return Err(Failure::new(StatusCode::FORBIDDEN, error, Some(&hint)));
    }
    let Sender { spool, now_ms, version } = from;
    if spool.len() != SPOOL_LETTERS || !spool.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::bad(format!("`spool` has {SPOOL_LETTERS} hexadecimal letters"), None));
    }
    if version.is_empty() || version.len() > VERSION_MAX || version.chars().any(char::is_control) {
        return Err(Failure::bad(format!("`version` has 1 to {VERSION_MAX} letters"), None));
    }
    // Two hundred thousand years are enough, and can be reckoned with.
    if now_ms.unsigned_abs() > 1 << 53 {
        return Err(Failure::bad("`now_ms` is a moment that no clock tells", None));
    }
    Ok(())
}

/// Records that are damaged come again; a report that cannot be read never will be better.
fn read(body: &[u8]) -> Result<Vec<Numbered>, Failure> {
    let (mut all, mut inflated) = (Vec::new(), 0);
    for frame in Frames::of(body) {
        let frame = frame.map_err(|why| Failure::bad(why, Some("records come as they lie in the agent's spool")))?;
        let report = match AgentReport::read(frame.body) {
            Ok((report, bytes)) => {
                inflated += bytes;
                fitting(report)
            }
            Err(unfit) => Err(unfit.to_string()),
        };
        if inflated > INFLATED_MAX {
            let error = format!("what is handed in comes to more than {} MiB", INFLATED_MAX >> 20);
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, error, Some("hand in fewer at once")));
        }
        all.push(Numbered { number: frame.number, lost: frame.lost, report });
    }
    Ok(all)
}

fn fitting(report: AgentReport) -> Result<AgentReport, String> {
    let strange = report.scrapes.iter().find(|batch| source_on("n", &batch.source).is_none());
    strange.map_or(Ok(()), |batch| {
        Err(format!("it has a source `{}`, which no agent has", batch.source.escape_default()))
    })?;
    Ok(report)
}

fn refusal(why: NotTaken) -> Failure {
    let hint = match why {
        NotTaken::OwnName => {
            "give the agent's node another name with `--node`; on this machine `trimtab up` watches by itself"
        }
        NotTaken::TooMany => "those that were not heard for 90 days are forgotten",
    };
    Failure::new(StatusCode::CONFLICT, why.to_string(), Some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reports_are_reports() {
        let is = |method: Method, path: &str| reports(&method, path);
        assert!(is(Method::POST, "/api/v1/agents/gpu1/reports"));
        assert!(!is(Method::GET, "/api/v1/agents/gpu1/reports") && !is(Method::POST, "/api/v1/agents"));
        assert!(!is(Method::POST, "/api/v1/agents/a/b/reports") && !is(Method::POST, "/api/v1/nodes/reports"));
    }
}
