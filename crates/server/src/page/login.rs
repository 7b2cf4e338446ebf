//! Signing in: the token once, then the cookie of a session, which no script can read and no other site can send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::refusal::Refusal;
use super::{Form, Query, frame};
use crate::access::{COOKIE, Caller, Gate, Rights, cookie};
use crate::attempts::{Attempt, WRONG_MAX};
use crate::failure::Failure;
use crate::listen::{Arrival, Way};
use crate::session::IDLE_MAX;

/// What anybody may ask for: the page that asks for the token, what it is drawn with, and to end a session.
pub(crate) const OPEN: [&str; 3] = ["/login", "/assets/", "/logout"];
/// The most bytes of the form.
pub(super) const FORM_MAX_BYTES: usize = 64 << 10;
/// How long a browser keeps the cookie. How long that is of any use, the session decides.
const COOKIE_AGE_SECONDS: u32 = 30 * 24 * 3_600;

/// Where to go on.
#[derive(Deserialize)]
pub(super) struct Ask {
    next: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// Why the form is shown, where that is to be said.
enum Because {
    /// Nobody has tried yet.
    First,
    /// The browser was signed in, and is not any more.
    SignedOut,
    /// There is no such token.
    Wrong,
    /// There were too many wrong ones.
    TooMany(Duration),
}

pub(super) async fn page(
    Extension(gate): Extension<Arc<Gate>>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> maud::Markup {
    let secret = cookie(&headers).filter(|secret| !secret.is_empty());
    let over = secret.is_some_and(|secret| gate.sessions.caller(secret, Instant::now()).is_none());
    shown(ask.next.as_deref().unwrap_or("/"), &if over { Because::SignedOut } else { Because::First })
}

pub(super) async fn sign_in(
    Extension(gate): Extension<Arc<Gate>>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, Refusal> {
    match gate.attempts.attempt(Instant::now(), || signs_in(&gate, form.token.trim())) {
        Attempt::Right(caller) => signed_in(&gate, caller, arrival, &headers, &form.next),
        Attempt::Wrong(count) => {
            let from = arrival.peer.ip();
            eprintln!("warning: a wrong token was tried at /login, from {from}");
            if count == WRONG_MAX {
                eprintln!("warning: {WRONG_MAX} wrong tokens within a minute: nobody can sign in for a while");
            }
            Ok((StatusCode::UNAUTHORIZED, shown(&form.next, &Because::Wrong)).into_response())
        }
        Attempt::Later(wait) => {
            let retry = [(header::RETRY_AFTER, (wait.as_secs() + 1).to_string())];
            Ok((StatusCode::TOO_MANY_REQUESTS, retry, shown(&form.next, &Because::TooMany(wait))).into_response())
        }
    }
}

/// A token that may only report is none for a browser: it may not look.
fn signs_in(gate: &Gate, secret: &str) -> Option<Caller> {
    gate.access.with_secret(secret).filter(|caller| caller.rights >= Rights::View)
}

fn signed_in(
    gate: &Gate,
    caller: Caller,
    arrival: Arrival,
    headers: &HeaderMap,
    next: &str,
) -> Result<Response, Refusal> {
    if let Some(secret) = cookie(headers) {
        gate.sessions.end(secret);
    }
    let begun = gate.sessions.begin(caller, Instant::now());
    let secret = begun.map_err(|error| Failure::broken(format!("no random numbers can be had: {error}")))?;
    let cookie = set_cookie(&secret, COOKIE_AGE_SECONDS, arrival, headers);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(own(next))).into_response())
}

pub(super) async fn sign_out(
    Extension(gate): Extension<Arc<Gate>>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
) -> Response {
    if let Some(secret) = cookie(&headers) {
        gate.sessions.end(secret);
    }
    ([(header::SET_COOKIE, set_cookie("", 0, arrival, &headers))], Redirect::to("/login")).into_response()
}

fn set_cookie(secret: &str, age_seconds: u32, arrival: Arrival, headers: &HeaderMap) -> String {
    // A proxy of which we were not told shows in what the browser says of the page that the form is on.
    let by_tls = || headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = arrival.way != Way::Plain || by_tls();
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={secret}; Path=/; Max-Age={age_seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// Only a path of ours: `//host` and `/\host` are other sites to a browser.
fn own(next: &str) -> &str {
    let path = next.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    if path && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') { next } else { "/" }
}

fn shown(next: &str, because: &Because) -> maud::Markup {
    let (note, wrong) = match because {
        Because::First => (None, None),
        Because::SignedOut => {
            let hours = IDLE_MAX.as_secs() / 3_600;
            let note = format!(
                "You were signed out: that happens after {hours} hours in which no page was looked at, and whenever Trimtab is \
                 started anew."
            );
            (Some(note), None)
        }
        Because::Wrong => (None, Some("No token of this installation is like that.".to_owned())),
        Because::TooMany(wait) => {
            let seconds = wait.as_secs() + 1;
            let wrong = format!(
                "Too many wrong tokens were tried: try again in {seconds} s. Who is signed in, and commands, go on meanwhile."
            );
            (None, Some(wrong))
        }
    };
    let content = html! {
        form.login method="post" action="/login" {
            h1 { "Trimtab" }
            @if let Some(note) = note { p role="status" { (note) } }
            label for="token" { "Token" }
            input #token type="password" name="token" required autofocus autocomplete="current-password"
                aria-describedby="where" aria-invalid=[wrong.as_ref().map(|_| "true")];
            input type="hidden" name="next" value=(own(next));
            @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
            button { "Sign in" }
            p #where.quiet {
                "The token is in the file " code { "token" } " of the installation's folder, which "
                code { "trimtab up" } " names when it starts."
            }
        }
    };
    frame::outside("Sign in", &content)
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn only_pages_of_ours_are_gone_on_to() {
        for (next, expected) in [
            ("/jobs?state=waiting", "/jobs?state=waiting"),
            ("", "/"),
            ("//elsewhere", "/"),
            ("/\\elsewhere", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("https://elsewhere/", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(own(next), expected, "{next:?}");
        }
    }
}
