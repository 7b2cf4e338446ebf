//! HTTP on one connection.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower_service::Service;

use super::Arrival;

/// How long a connection may say nothing, or take for the head of a request: longer than the minute for which proxies keep theirs, so that
/// they are the ones who close.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// The most bytes of a request's head before it is looked at whether it is whole; hyper's own bound is seven times that, for each connection.
const HEAD_MAX_BYTES: usize = 64 << 10;

/// Serves it to its end. When `stopping` changes, whoever is being answered is answered to the end, and nobody else.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    arrival: Arrival,
    mut stopping: watch::Receiver<()>,
) {
    let service = service_fn(move |request| answer(router.clone(), request, arrival));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SILENCE_MAX).max_buf_size(HEAD_MAX_BYTES);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // What goes wrong on a connection ends it, and is the other end's doing.
    tokio::select! {
        _over = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _over = connection.await;
        }
    }
}

async fn answer(
    mut router: Router,
    mut request: hyper::Request<Incoming>,
    arrival: Arrival,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(arrival);
    let request: Request = request.map(Body::new);
    // A router is always ready.
    router.call(request).await
}
