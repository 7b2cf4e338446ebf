//! What a run wrote.

use axum::extract::State as Extract;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fleet::ids::WorkloadId;
use fleet::live::{Live, log_of, logs_of};
use serde::Deserialize;
use utoipa::IntoParams;

use super::workloads::absent;
use super::{Part, Query, reading};
use crate::failure::{Failure, Problem};
use crate::state::State;

/// The most bytes of one answer.
const PIECE_MAX_BYTES: u64 = 1 << 20;

/// Which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    /// Which run, from 1; absent: the last.
    attempt: Option<u32>,
    /// From which byte on; absent: the last 64 KiB.
    offset: Option<u64>,
}

/// What a run wrote to standard output and standard error, as it wrote it; at most 1 MiB. The header `x-next-offset` tells where to go
/// on.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/log", params(("id" = u32, Path), Piece), responses((status = 200, content_type = "text/plain"), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub(crate) async fn log(
    Extract(state): Extract<State>,
    Part(id): Part<u32>,
    Query(piece): Query<Piece>,
) -> Result<Response, Failure> {
    reading(move || {
        let live = state.reader.workload(WorkloadId(id))?.ok_or_else(|| absent(id))?;
        let attempts = live.runs.len() as u32;
        let attempt = piece.attempt.unwrap_or(attempts);
        if attempt == 0 || attempt > attempts {
            let hint = if attempts == 0 { "it has not run yet" } else { "GET /api/v1/workloads/ID lists its runs" };
            return Err(Failure::not_found(format!("workload {id} has no run {attempt}"), hint));
        }
        let Output::Kept { bytes, next } = read(&state, &live, attempt, piece.offset)? else {
            let error = format!("the log of workload {id} is no longer kept");
            return Err(Failure::new(StatusCode::GONE, error, Some(&state.logs.why_gone())));
        };
        let next = HeaderValue::from(next);
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        let headers = [(header::CONTENT_TYPE, text), (HeaderName::from_static("x-next-offset"), next)];
        Ok((headers, bytes).into_response())
    })
    .await
}

/// What a run wrote.
#[derive(Debug)]
pub(crate) enum Output {
    /// A part of it, and where to go on.
    Kept {
        /// The part.
        bytes: Vec<u8>,
        /// The byte after it.
        next: u64,
    },
    /// It was let go.
    LetGo,
}

/// Reads a part of what a run of a workload wrote.
pub(crate) fn read(state: &State, live: &Live, run: u32, offset: Option<u64>) -> Result<Output, Failure> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = match std::fs::File::open(state.folder.join(log_of(live.id, run))) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let nothing = Output::Kept { bytes: Vec::new(), next: offset.unwrap_or(0) };
            return Ok(if is_let_go(state, live) { Output::LetGo } else { nothing });
        }
        Err(error) => return Err(Failure::broken(format!("cannot open the log: {error}"))),
    };
    let broken = |error: std::io::Error| Failure::broken(format!("cannot read the log: {error}"));
    let length = file.metadata().map_err(broken)?.len();
    // A log that was begun anew is shorter than what was read of it.
    let from = offset.filter(|&offset| offset <= length).unwrap_or_else(|| length.saturating_sub(64 << 10));
    file.seek(SeekFrom::Start(from)).map_err(broken)?;
    let mut bytes = Vec::new();
    file.take(PIECE_MAX_BYTES).read_to_end(&mut bytes).map_err(broken)?;
    let next = from + bytes.len() as u64;
    Ok(Output::Kept { bytes, next })
}

/// A workload that ran had a folder of logs, and that goes as a whole once the workload is over.
fn is_let_go(state: &State, live: &Live) -> bool {
    let ran = live.runs.iter().any(|run| run.started.is_some());
    ran && live.is_finished() && !state.folder.join(logs_of(live.id)).exists()
}
