//! Queues: listed, and given rules.

use std::collections::BTreeMap;

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::{Input, Rule};
use fleet::history::QueueRecord;
use fleet::quantity::{MilliDevice, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::Done;
use super::{Body, Part, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::state::State;

/// A queue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queue {
    /// Its name.
    name: String,
    /// Its rules.
    rules: Rules,
    /// How many workloads it has of each state.
    counts: BTreeMap<&'static str, u64>,
}

/// What holds for a queue. Amounts are thousandths of devices, or of cores where there are no devices.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// What it may use before it borrows; absent: there is no quota.
    quota_milli: Option<u64>,
    /// What it may never pass.
    limit_milli: Option<u64>,
    /// What one user may never pass.
    limit_per_user_milli: Option<u64>,
    /// How many may run at once.
    limit_running: Option<u32>,
    /// How many of one user may run at once.
    limit_running_per_user: Option<u32>,
    /// Higher goes first among queues.
    priority: i32,
    /// The longest a workload may ask to run.
    time_limit_max_ms: Option<i64>,
    /// The time limit of a workload that asks for none.
    time_limit_default_ms: Option<i64>,
}

impl From<&QueueRecord> for Rules {
    fn from(rules: &QueueRecord) -> Self {
        Self {
            quota_milli: rules.quota_milli.map(|amount| amount.0),
            limit_milli: rules.limit_milli.map(|amount| amount.0),
            limit_per_user_milli: rules.limit_per_user_milli.map(|amount| amount.0),
            limit_running: rules.limit_running,
            limit_running_per_user: rules.limit_running_per_user,
            priority: rules.priority,
            time_limit_max_ms: rules.time_limit_max_ms.map(|limit| limit.0),
            time_limit_default_ms: rules.time_limit_default_ms.map(|limit| limit.0),
        }
    }
}

impl Rules {
    fn into_record(self, name: String) -> QueueRecord {
        QueueRecord {
            name,
            quota_milli: self.quota_milli.map(MilliDevice),
            limit_milli: self.limit_milli.map(MilliDevice),
            limit_per_user_milli: self.limit_per_user_milli.map(MilliDevice),
            limit_running: self.limit_running,
            limit_running_per_user: self.limit_running_per_user,
            priority: self.priority,
            time_limit_max_ms: self.time_limit_max_ms.map(Millis),
            time_limit_default_ms: self.time_limit_default_ms.map(Millis),
            ..QueueRecord::default()
        }
    }
}

/// All queues that have rules, and the one that is always there.
#[utoipa::path(get, path = "/api/v1/queues", responses((status = 200, body = Vec<Queue>)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Vec<Queue>>, Failure> {
    reading(move || {
        let mut queues = Vec::new();
        for record in crate::queues::all(&state.reader)? {
            let counts = state.reader.counts(Some(&record.name))?;
            let counts = counts.into_iter().map(|(state, count)| (state.name(), count)).collect();
            queues.push(Queue { rules: (&record).into(), counts, name: record.name });
        }
        Ok(Json(queues))
    })
    .await
}

/// Gives a queue these rules; it is made if it is not there.
#[utoipa::path(put, path = "/api/v1/queues/{name}", params(("name" = String, Path)), request_body = Rules, responses((status = 200, body = Done), (status = 422, body = Problem)))]
pub(crate) async fn set(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(name): Part<String>,
    Body(rules): Body<Rules>,
) -> Result<Json<Done>, Failure> {
    let rules = vec![Rule::Queue(Box::new(rules.into_record(name)))];
    Ok(Json(state.plane.hear(Input::SetRules { rules, by: caller.name }).await?.into()))
}
