//! What goes over the wire, counted; and answers that refuse, told apart by their status.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{env, fmt};

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientConfigKey, ClientOptions};

use super::direct::Direct;
use super::fetch::Counts;

/// A store that does not answer for so long is given up for this try.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Of what a store says when it refuses, so much is kept.
const SAID_MAX: usize = 300;
/// What tells programs of a proxy for HTTP.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// Makes clients that count.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Arc<Counts>);

#[derive(Debug)]
struct Counted {
    client: Client,
    /// Where the store is asked without TLS and nothing stands in between.
    direct: Option<Direct>,
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
        let direct = is_direct(&options).then(Direct::default);
        let client = Client::new(options, direct.is_some())?;
        Ok(HttpClient::new(Counted { client, direct, counts: Arc::clone(&self.0) }))
    }
}

#[async_trait]
impl HttpService for Counted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let directly = match &self.direct {
            Some(direct) => direct.get(&request).await,
            None => None,
        };
        let response = match directly {
            Some(outcome) => outcome?,
            None => self.client.execute(request).await?,
        };
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

/// The library's client. To read the system's certificates takes ten milliseconds, so that is left until something is to go through TLS.
#[derive(Debug)]
struct Client {
    options: ClientOptions,
    /// Without certificates.
    plain: Option<HttpClient>,
    with_certificates: OnceLock<HttpClient>,
}

impl Client {
    fn new(options: ClientOptions, is_plain: bool) -> object_store::Result<Client> {
        let without = || options.clone().with_no_system_certificates(true);
        let plain = is_plain.then(|| ReqwestConnector::default().connect(&without())).transpose()?;
        let client = Client { options, plain, with_certificates: OnceLock::new() };
        if !is_plain {
            client.with_certificates()?;
        }
        Ok(client)
    }

    fn with_certificates(&self) -> object_store::Result<&HttpClient> {
        if let Some(client) = self.with_certificates.get() {
            return Ok(client);
        }
        let client = ReqwestConnector::default().connect(&self.options)?;
        Ok(self.with_certificates.get_or_init(|| client))
    }

    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let plain = self.plain.as_ref().filter(|_| request.uri().scheme_str() == Some("http"));
        if let Some(plain) = plain {
            match plain.execute(request.clone()).await {
                // A server may send whoever asks it on to where TLS is spoken.
                Err(error) if is_of_tls(&error) => {}
                outcome => return outcome,
            }
        }
        let client = self.with_certificates().map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        client.execute(request).await
    }
}

/// Whether what failed is a request through TLS.
fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    let errors = std::iter::successors(Some(error), |error| (*error).source());
    let mut addresses = errors.filter_map(|error| error.downcast_ref::<reqwest::Error>()?.url());
    addresses.any(|address| address.scheme() == "https")
}

/// Whether requests may go to a store as it is addressed: it is not to be spoken to by TLS alone, nor through a proxy.
fn is_direct(options: &ClientOptions) -> bool {
    let is_told = |key| options.get_config_value(&key);
    let is_plain = is_told(ClientConfigKey::AllowHttp).is_some_and(|told| told == "true");
    let has_proxy =
        is_told(ClientConfigKey::ProxyUrl).is_some() || PROXIES.iter().any(|name| env::var_os(name).is_some());
    is_plain && !has_proxy
}

impl Refused {
    /// What a store said, where that is why something failed.
    pub(super) fn within(error: &object_store::Error) -> Option<&Refused> {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref() {
                return Some(refused);
            }
            next = error.source();
        }
        None
    }

    /// Whether it will say so again: any status of 4xx but those that mean "later".
    pub(super) fn is_final(&self) -> bool {
        (self.status < 500 && !matches!(self.status, 408 | 429)) || self.is_unknown_method()
    }

    /// Whether it does not know what it is asked to do.
    pub(super) fn is_unknown_method(&self) -> bool {
        matches!(self.status, 405 | 501)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store answers with status {}", self.status)?;
        if self.said.is_empty() { Ok(()) } else { write!(f, ": {}", self.said) }
    }
}

impl Error for Refused {}
