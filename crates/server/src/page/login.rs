//! Signing in: the token once, then a cookie that no script can read and no other site can send.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::{Form, Query, frame};
use crate::access::{Access, COOKIE};
use crate::listen::{Arrival, Way};

/// What anybody may ask for: the page that asks for the token, what it is drawn with, and to forget the token again.
pub(crate) const OPEN: [&str; 3] = ["/login", "/assets/", "/logout"];
/// How long a browser stays signed in.
const AGE_SECONDS: u32 = 30 * 24 * 3_600;

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

pub(super) async fn page(Query(ask): Query<Ask>) -> Response {
    shown(ask.next.as_deref().unwrap_or("/"), None).into_response()
}

pub(super) async fn sign_in(
    Extension(access): Extension<Arc<Access>>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    let token = form.token.trim();
    if access.with_secret(token).is_none() {
        let page = shown(&form.next, Some("No token of this installation is like that."));
        return (StatusCode::UNAUTHORIZED, page).into_response();
    }
    let cookie = cookie(token, AGE_SECONDS, arrival, &headers);
    ([(header::SET_COOKIE, cookie)], Redirect::to(own(&form.next))).into_response()
}

pub(super) async fn sign_out(Extension(arrival): Extension<Arrival>, headers: HeaderMap) -> Response {
    ([(header::SET_COOKIE, cookie("", 0, arrival, &headers))], Redirect::to("/login")).into_response()
}

/// A token has no letter that a cookie cannot hold: it was compared with one of ours, and those are read from words of a line.
fn cookie(value: &str, age_seconds: u32, arrival: Arrival, headers: &HeaderMap) -> String {
    // A proxy of which we were not told shows in what the browser says of the page that the form is on.
    let by_tls = || headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = arrival.way != Way::Plain || by_tls();
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={age_seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// Only a path of ours: `//host` and `/\host` are other sites to a browser.
fn own(next: &str) -> &str {
    let path = next.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    if path && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') { next } else { "/" }
}

fn shown(next: &str, wrong: Option<&str>) -> maud::Markup {
    let content = html! {
        form.login method="post" action="/login" {
            h1 { "Trimtab" }
            label for="token" { "Token" }
            input #token type="password" name="token" required autofocus autocomplete="current-password"
                aria-describedby="where" aria-invalid=[wrong.map(|_| "true")];
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
