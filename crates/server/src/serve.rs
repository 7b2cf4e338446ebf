//! The server itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::response::Response;
use axum::{Extension, Router};
use store::Reader;
use tokio::sync::watch;

use crate::access::{self, Access, Gate};
use crate::failure::Failure;
use crate::foresee::{self, Foreseen};
use crate::listen::{Arrival, Listen, Listener, Way};
use crate::plane::Plane;
use crate::state::State;
use crate::tally::Recorded;
use crate::{api, body, page};

/// How long whoever is being answered may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// For a month a browser that has come by TLS comes by nothing else. Not for a year, and not for names below ours: it holds for every port of
/// this host (RFC 6797, 8.3), and others may serve there too.
const ONLY_BY_TLS: &str = "max-age=2592000";

/// How long the log is read in one go.
const READ_PIECE: Duration = Duration::from_millis(100);

/// A server that is bound, and serves when it is run.
pub struct Serving {
    listeners: Vec<Listener>,
    router: Router,
    recorded: Recorded,
    foreseen: Foreseen,
    plane: Plane,
    reader: Reader,
}

/// Binds, to one address or more. Nothing is answered before [`Serving::run`].
///
/// # Errors
/// If an address cannot be had.
pub fn serve(listens: Vec<Listen>, access: Access, state: State) -> std::io::Result<Serving> {
    let listeners = listens.into_iter().map(Listener::bind).collect::<Result<_, _>>()?;
    let (recorded, foreseen) = (Recorded::new(), Foreseen::new());
    let (reader, plane) = (state.reader.clone(), state.plane.clone());
    let router = router(access, state, recorded.clone(), foreseen.clone());
    Ok(Serving { listeners, router, recorded, foreseen, plane, reader })
}

impl Serving {
    /// Where it listens, in the order of what was asked for: the ports are known now, if any were asked for.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Serves until `stop` comes, then lets those finish who are being answered, for a while.
    ///
    /// # Errors
    /// If no runtime can be made, or a listener breaks.
    pub fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            // What was recorded before is read once, before anybody looks, and only as long as we serve.
            let reading = tokio::spawn(read_all(self.recorded, self.reader.clone()));
            let looking = tokio::spawn(foresee::keep(self.foreseen, self.plane, self.reader));
            let (stopped, stopping) = watch::channel(());
            let accepting = self.listeners.into_iter().map(|listener| {
                let (router, stopping) = (self.router.clone(), stopping.clone());
                async move { tokio::spawn(listener.accept(router, stopping)).await.map_err(std::io::Error::other)? }
            });
            let patience = async move {
                stop.await;
                stopped.send_replace(());
                tokio::time::sleep(PATIENCE).await;
            };
            let served = tokio::select! {
                served = futures_util::future::try_join_all(accepting) => served.map(drop),
                () = patience => Ok(()),
            };
            reading.abort();
            looking.abort();
            served
        })
    }
}

/// Piece by piece, so that it can be stopped between two.
async fn read_all(recorded: Recorded, reader: Reader) {
    loop {
        let (recorded, reader) = (recorded.clone(), reader.clone());
        let read = tokio::task::spawn_blocking(move || recorded.catch_up(&reader, READ_PIECE)).await;
        // A store that cannot be read is told of to whoever looks at a page.
        if !matches!(read, Ok(Ok(progress)) if !progress.is_whole()) {
            return;
        }
    }
}

fn router(access: Access, state: State, recorded: Recorded, foreseen: Foreseen) -> Router {
    let gate = Arc::new(Gate::new(access));
    api::routes()
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(async || {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method", None)
        })
        .layer(DefaultBodyLimit::max(body::BODY_MAX_BYTES))
        .layer(middleware::from_fn(body::measure))
        .layer(Extension(api::Readers::default()))
        .layer(Extension(recorded))
        .layer(Extension(foreseen))
        .layer(Extension(Arc::clone(&gate)))
        .layer(middleware::from_fn_with_state(gate, access::guard))
        .layer(middleware::from_fn(body::refuse_large))
        .layer(middleware::from_fn(harden))
        .with_state(state)
}

async fn nothing(headers: HeaderMap) -> Response {
    if page::wants_page(&headers) {
        return page::nothing_here();
    }
    Failure::not_found("there is nothing at this address", "GET /api/v1/openapi.json lists all").into_response()
}

/// What browsers are told not to do with our answers.
async fn harden(request: axum::extract::Request, next: Next) -> Response {
    let by_tls = request.extensions().get::<Arrival>().is_some_and(|arrival| arrival.way == Way::Tls);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let set = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it browsers say `Origin: null` of the forms of our own pages (Fetch Standard, 3.2).
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in set {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if by_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_BY_TLS));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
