//! What goes over the wire, counted; and answers that refuse, told apart by their status.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

use super::fetch::Counts;

/// A store that does not answer for so long is given up for this try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Of what a store says when it refuses, so much is kept.
const SAID_MAX: usize = 300;

/// Makes clients that count.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Arc<Counts>);

#[derive(Debug)]
struct Counted {
    client: HttpClient,
    counts: Arc<Counts>,
}

/// A store answered, and not with what it was asked for.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) said: String,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let options = options
            .clone()
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_read_timeout(READ_TIMEOUT)
            .with_timeout_disabled()
            // HTTP/2 would put all requests on one connection.
            .with_http1_only();
        let client = ReqwestConnector::default().connect(&options)?;
        Ok(HttpClient::new(Counted { client, counts: Arc::clone(&self.0) }))
    }
}

#[async_trait]
impl HttpService for Counted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let response = self.client.execute(request).await?;
        let status = response.status().as_u16();
        if matches!(status, 429 | 503) {
            self.counts.throttled.fetch_add(1, Ordering::Relaxed);
        }
        // Of these, object_store makes errors of their own.
        let has_a_name = matches!(status, 304 | 401 | 403 | 404 | 409 | 412);
        if status < 400 || has_a_name {
            return Ok(response);
        }
        let body = response.into_body().bytes().await.unwrap_or_default();
        let said = String::from_utf8_lossy(&body[..body.len().min(SAID_MAX)]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(HttpError::new(HttpErrorKind::Unknown, Refused { status, said }))
    }
}

impl Refused {
    /// Whether it will say so again.
    pub(super) fn is_final(&self) -> bool {
        self.status < 500 && !matches!(self.status, 408 | 429)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store answers with status {}", self.status)?;
        if self.said.is_empty() { Ok(()) } else { write!(f, ": {}", self.said) }
    }
}

impl std::error::Error for Refused {}
