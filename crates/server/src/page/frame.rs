//! What is around every page: its head, where one can go, who one is.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use maud::{DOCTYPE, Markup, html};

use super::asset;
use crate::access::{Caller, Rights};

const PAGES: &[(&str, &str)] = &[
    ("/", "Overview"),
    ("/findings", "Findings"),
    ("/jobs", "Jobs"),
    ("/fleet", "Fleet"),
    ("/agents", "Agents"),
    ("/queues", "Queues"),
    ("/recommendations", "Recommendations"),
    ("/ledger", "Ledger"),
];

/// Nothing of htmx that needs evaluated scripts or styles of its own.
const HTMX: &str = r#"{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyEnabled":false,"timeout":10000}"#;

/// How much of a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// The part that changes.
    Part,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(if parts.headers.contains_key("hx-request") { Self::Part } else { Self::Whole })
    }
}

/// Whether it is a browser that wants to show the answer.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|value| value.contains("text/html"))
}

/// A page.
pub(super) struct Page<'a> {
    /// Its title.
    pub(super) title: &'a str,
    /// Under which of the pages it is.
    pub(super) under: &'a str,
    /// Who looks.
    pub(super) caller: &'a Caller,
    /// What stays.
    pub(super) fixed: Markup,
    /// The address of the part that changes.
    pub(super) address: &'a str,
    /// The part that changes; it is asked for again every two seconds while it is looked at.
    pub(super) live: Markup,
    /// What stays below it.
    pub(super) below: Markup,
}

impl Page<'_> {
    /// All of it, with nothing that refreshes.
    pub(super) fn show_still(self) -> Markup {
        let content = html! { (self.fixed) div #live { (self.live) } (self.below) };
        whole(self.title, Some((self.under, Some(self.caller))), &content)
    }

    /// As much of it as is wanted.
    pub(super) fn show(self, wanted: Wanted) -> Markup {
        let live =
            html! { div #live data-live hx-get=(self.address) hx-trigger="tick" hx-swap="outerHTML" { (self.live) } };
        if wanted == Wanted::Part {
            return live;
        }
        let content = html! { (self.fixed) (live) (self.below) };
        whole(self.title, Some((self.under, Some(self.caller))), &content)
    }
}

/// A page for whoever has not signed in: it leads nowhere else.
pub(super) fn outside(title: &str, content: &Markup) -> Markup {
    whole(title, None, content)
}

/// A page that tells of something that went wrong.
pub(super) fn astray(title: &str, content: &Markup) -> Markup {
    whole(title, Some(("", None)), content)
}

fn whole(title: &str, shown: Option<(&str, Option<&Caller>)>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " · Trimtab" }
                link rel="icon" type="image/svg+xml" href=(asset::path("icon.svg"));
                link rel="stylesheet" href=(asset::path("trimtab.css"));
                script defer src=(asset::path("htmx.min.js")) {}
                script defer src=(asset::path("trimtab.js")) {}
            }
            body {
                @if let Some((under, caller)) = shown { (top(under, caller)) }
                main { (content) }
            }
        }
    }
}

fn top(under: &str, caller: Option<&Caller>) -> Markup {
    html! {
        header.top {
            a.skip href="#live" { "Skip to the content" }
            a.brand href="/" { "Trimtab" }
            nav aria-label="Pages" {
                @for (address, name) in PAGES {
                    a href=(address) aria-current=[(*address == under).then_some("page")] { (name) }
                }
            }
            @if let Some(caller) = caller {
                form.who method="post" action="/logout" {
                    span title=(caller.name) { (caller.name) }
                    @if caller.rights < Rights::Operate { span.quiet { "may look" } }
                    button.plain { "Sign out" }
                }
            }
        }
    }
}
