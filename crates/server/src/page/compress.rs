//! Pages and scripts travel compressed to whoever takes that: ten thousand devices are 30 kB instead of 300.

use std::io::Write;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::Failure;

/// Below this a packet is a packet.
const LEAST_BYTES: usize = 1_024;
/// No page is larger: what is made here is whole in memory, and bounded by what it shows.
const MOST_BYTES: usize = 64 << 20;

pub(super) async fn compress(request: Request, next: Next) -> Response {
    let takes = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("gzip"));
    let wanted = request.headers().get(header::ACCEPT_ENCODING).is_some_and(takes);
    let response = next.run(request).await;
    if !wanted || response.headers().get(header::CONTENT_TYPE).is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, MOST_BYTES).await else {
        return Failure::broken("the page grew too large").into_response();
    };
    if whole.len() < LEAST_BYTES {
        return Response::from_parts(parts, Body::from(whole));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(whole.len() / 4), Compression::new(5));
    let packed = encoder.write_all(&whole).and_then(|()| encoder.finish());
    let Ok(packed) = packed else { return Response::from_parts(parts, Body::from(whole)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(packed))
}
