//! The log as it grows, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State as Extract;
use axum::response::sse::{Event, KeepAlive, Sse};
use fleet::live::Logged;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Query, reading};
use crate::failure::Failure;
use crate::state::State;

/// The most entries read at once.
const PIECE_MAX: usize = 500;
/// How often a quiet stream says that it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    /// Entries after this place; absent: those to come.
    since: Option<u64>,
}

/// What happens, as it happens: each event's id is an entry's place in the log, its data the entry as JSON.
#[utoipa::path(get, path = "/api/v1/events", params(From), responses((status = 200, content_type = "text/event-stream")))]
pub(crate) async fn events(
    Extract(state): Extract<State>,
    Query(from): Query<From>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let since = match from.since {
        Some(since) => since,
        None => {
            let reader = state.reader.clone();
            reading(move || Ok(reader.last_seq()?)).await?
        }
    };
    let pieces = stream::unfold((state, since), |(mut state, since)| async move {
        loop {
            let reader = state.reader.clone();
            // A stream that cannot be read any more ends; whoever follows begins anew from the last id.
            let entries = reading(move || Ok(reader.entries_since(since, PIECE_MAX)?)).await.ok()?;
            if let Some(last) = entries.last().map(|logged| logged.seq) {
                return Some((stream::iter(entries.into_iter().map(event)), (state, last)));
            }
            state.stored.changed().await.ok()?;
        }
    });
    Ok(Sse::new(pieces.flatten()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn event(logged: Logged) -> Result<Event, Infallible> {
    let body = serde_json::json!({ "at_ms": logged.at.0, "entry": logged.entry });
    Ok(Event::default().id(logged.seq.to_string()).data(body.to_string()))
}
