//! A failure, told on a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::frame;
use super::words::sentence;
use crate::failure::Failure;

/// A failure, told on a page.
#[derive(Debug)]
pub(super) struct Refusal(Failure);

impl<E> From<E> for Refusal
where
    Failure: From<E>,
{
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, hint) = self.0.told();
        // Some hints are for those who call the API.
        let hint = hint.filter(|hint| !hint.is_empty() && !hint.contains("/api/"));
        let title = match status {
            StatusCode::NOT_FOUND => "Not there",
            StatusCode::SERVICE_UNAVAILABLE => "Busy",
            _ => "That did not work",
        };
        let content = html! {
            h1 { (title) }
            p { (sentence(error)) }
            @if let Some(hint) = hint { p.quiet { (sentence(hint)) } }
            p { a href="/" { "Back to the overview" } }
        };
        (status, frame::astray(title, &content)).into_response()
    }
}
