//! Notices of findings, for whoever wants them where they are: a URL that takes JSON, a chat's webhook, or a program.
//!
//! [`mod@file`] reads who wants what, [`body`] says it; both are pure. [`send`] is the outside. A secret (a webhook's URL is one) is never printed.

pub mod body;
pub mod file;
pub mod send;

use std::path::PathBuf;

use fleet::notice::Wants;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its name, in messages and in what is remembered of it.
    pub name: String,
    /// How it is told.
    pub to: To,
    /// Of what.
    pub wants: Wants,
}

/// How somebody is told.
#[derive(Clone, PartialEq, Eq)]
pub enum To {
    /// By a POST to a URL.
    Url {
        /// Which; it may hold a secret.
        url: Secret,
        /// What is posted.
        form: Form,
        /// The token that goes with it.
        token: Option<Secret>,
    },
    /// By a program that is given JSON on standard input. No shell has a part in it.
    Program {
        /// Which, by its whole path.
        path: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// What is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it as JSON ([`body::json`]).
    Json,
    /// A text as Slack's incoming webhooks take it, and Mattermost's.
    Chat,
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url { form, .. } => f.debug_struct("Url").field("form", form).finish_non_exhaustive(),
            Self::Program { path, .. } => f.debug_struct("Program").field("path", path).finish_non_exhaustive(),
        }
    }
}
