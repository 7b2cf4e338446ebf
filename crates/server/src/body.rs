//! Bodies without measure.
//!
//! Whoever answers before a body was read closes the connection under whoever still sends it: the answer is lost, and "broken pipe" is
//! all that most clients tell. So what is too large is read to its end, thrown away, and then refused; up to a bound, as nobody
//! may keep us reading for ever.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::failure::Failure;

/// The most bytes of a body: 10,000 workloads with small environments.
pub(crate) const BODY_MAX_BYTES: usize = 16 << 20;
/// The most bytes that are thrown away.
const DISCARD_MAX_BYTES: usize = 256 << 20;
/// How long throwing away may take.
const DISCARD_MAX: Duration = Duration::from_secs(30);

/// Refuses a body that says itself that it is too large, whoever sends it.
pub(crate) async fn refuse_large(request: Request, next: Next) -> Response {
    if told_length(request.headers()).is_none_or(|length| length <= BODY_MAX_BYTES) {
        return next.run(request).await;
    }
    let _kept = tokio::time::timeout(DISCARD_MAX, read(request.into_body(), 0)).await;
    too_large()
}

/// Reads a body whose length was not told, so that it has one.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(DISCARD_MAX, read(body, BODY_MAX_BYTES)).await {
        Ok(Some(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(None) => too_large(),
        Err(_) => Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time", None).into_response(),
    }
}

fn told_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body to its end, or to the bound; nothing if it has more than `most` bytes, or breaks off.
async fn read(body: Body, most: usize) -> Option<Vec<u8>> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut all) = (Vec::new(), 0_usize);
    while let Some(piece) = stream.next().await {
        let piece = piece.ok()?;
        all += piece.len();
        if all <= most {
            kept.extend_from_slice(&piece);
        } else if all > DISCARD_MAX_BYTES {
            break;
        } else {
            kept = Vec::new();
        }
    }
    (all <= most).then_some(kept)
}

fn too_large() -> Response {
    let error = format!("the body has more than {} MiB", BODY_MAX_BYTES >> 20);
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, error, Some("hand in fewer workloads at once")).into_response()
}
