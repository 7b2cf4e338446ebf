//! Who is let in.
//!
//! Every request carries a token in `Authorization: Bearer`, or the cookie of a session that began with one; also on loopback, where every
//! user of the machine could come from, and a submission runs as whoever runs Trimtab. A browser is only heard for pages of our own: the `Host` must be one of ours (a name that someone else's DNS points here is not), and a request that
//! changes something must not come from another site. Tokens are compared in constant time and never logged.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq;

use crate::api::is_report;
use crate::attempts::Attempts;
use crate::failure::Failure;
use crate::page;
use crate::session::Sessions;

/// The cookie that holds the secret of a session.
pub(crate) const COOKIE: &str = "trimtab_session";

/// How long whoever has no token may take for a whole request.
const STRANGER_MAX: Duration = Duration::from_secs(10);

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// To hand in reports of an agent, and nothing else: not even to look.
    Report,
    /// To look.
    View,
    /// To change things too.
    Operate,
}

/// A token, whose it is, and what it allows.
#[derive(Clone)]
pub struct Token {
    /// Whose it is: what is written beside what it changed. Of one that may report, for which node; or `*`, for any.
    pub name: String,
    /// What it allows.
    pub rights: Rights,
    /// The token itself.
    pub secret: String,
}

/// Says nothing of the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("rights", &self.rights).finish_non_exhaustive()
    }
}

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Access {
    /// The tokens there are.
    pub tokens: Vec<Token>,
    /// The names we are known by, without ports: `127.0.0.1`, `localhost`.
    pub names: Vec<String>,
}

/// Whoever sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) rights: Rights,
}

impl Caller {
    /// Whoever may report under this name may report for any node.
    pub(crate) const ANY_NODE: &str = "*";

    /// Why it may not ask for this, if it may not.
    fn barred(&self, method: &Method, path: &str) -> Option<Failure> {
        let (no, hint) = match self.rights {
            Rights::Operate => return None,
            Rights::Report if is_report(method, path) => return None,
            Rights::View if matches!(*method, Method::GET | Method::HEAD) => return None,
            Rights::Report => ("this token may only report for an agent", "ask for a token that may look, or operate"),
            Rights::View if is_report(method, path) => (
                "this token may only look",
                "ask for a token that may report: a line `report NODE SECRET` of --token-file",
            ),
            Rights::View => ("this token may only look", "ask for a token that may operate"),
        };
        Some(Failure::new(StatusCode::FORBIDDEN, no, Some(hint)))
    }
}

/// Who is let in, who is signed in, and who tried in vain.
pub(crate) struct Gate {
    pub(crate) access: Access,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Attempts,
}

impl Gate {
    pub(crate) fn new(access: Access) -> Self {
        Self { access, sessions: Sessions::default(), attempts: Attempts::default() }
    }

    /// Whose token a request carries, or whose session.
    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match bearer {
            Some(token) => self.access.with_secret(token.trim()),
            None => self.sessions.caller(cookie(headers)?, Instant::now()),
        }
    }
}

impl Access {
    /// Whose secret this is. Every token is compared, whichever it is.
    pub(crate) fn with_secret(&self, secret: &str) -> Option<Caller> {
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.secret.as_bytes().ct_eq(secret.as_bytes())) {
                found = Some(Caller { name: token.name.clone(), rights: token.rights });
            }
        }
        found
    }

    fn knows_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.is_ours(host))
    }

    /// Any port will do: a proxy has its own.
    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((host, "80"));
        port.bytes().all(|byte| byte.is_ascii_digit())
            && self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a browser says that a page of another site sent this. What is no browser says nothing.
    fn cross_site(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let fetched = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
        let origin = text("origin").is_some_and(|origin| {
            let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            // A page of another port of this machine is another site.
            host.is_none_or(|host| headers.get(header::HOST).is_none_or(|own| own.as_bytes() != host.as_bytes()))
        });
        fetched || origin
    }
}

/// The secret of a session that a request carries, whether there is such a session or not.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Sends a browser that shows a page, or refreshes a part of one, to where the token is asked for.
fn to_sign_in(request: &Request) -> Option<Response> {
    let (headers, path) = (request.headers(), request.uri().path());
    if headers.contains_key("hx-request") {
        return Some((StatusCode::UNAUTHORIZED, [("hx-redirect", "/login")]).into_response());
    }
    let shows = *request.method() == Method::GET && !path.starts_with("/api/") && page::wants_page(headers);
    shows.then(|| {
        let next = request.uri().path_and_query().map_or("/", |next| next.as_str());
        let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
        Redirect::to(&format!("/login?{query}")).into_response()
    })
}

/// Lets a request through, or not. Whoever handles it finds the [`Caller`] in its extensions.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !gate.access.knows_host(headers) {
        let hint = "use the address that `trimtab up` printed, or tell it this name with --host-name";
        return Failure::new(StatusCode::MISDIRECTED_REQUEST, "this host name is not ours", Some(hint)).into_response();
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !safe && gate.access.cross_site(headers) {
        let error = "a page of another site may not ask for this";
        return Failure::new(StatusCode::FORBIDDEN, error, None).into_response();
    }
    let path = request.uri().path();
    if page::OPEN.iter().any(|open| if open.ends_with('/') { path.starts_with(open) } else { path == *open }) {
        let answered = tokio::time::timeout(STRANGER_MAX, next.run(request)).await;
        let late = |_| Failure::new(StatusCode::REQUEST_TIMEOUT, "the request did not come in time", None);
        return answered.map_err(late).into_response();
    }
    let Some(caller) = gate.caller(headers) else {
        if let Some(response) = to_sign_in(&request) {
            return response;
        }
        let hint = "send the token as `Authorization: Bearer TOKEN`, or sign in at /login";
        return Failure::new(StatusCode::UNAUTHORIZED, "a token is needed", Some(hint)).into_response();
    };
    if let Some(barred) = caller.barred(request.method(), request.uri().path()) {
        return barred.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}
