//! What was last recommended here, ranked, with its proof. It is made by `trimtab optimize`: replays take longer than a page may.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use fleet::recommendation::Recommendation;
use maud::{Markup, html};

use super::ledger::effect;
use crate::state::RECOMMENDATIONS;

/// No list of recommendations has more bytes.
const BYTES_MAX: u64 = 8 << 20;

/// What was last recommended; nothing where nothing was, or what is there is not understood.
pub(super) fn read(folder: &Path) -> Vec<Recommendation> {
    let mut text = String::new();
    let read = File::open(folder.join(RECOMMENDATIONS)).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    serde_json::from_str(&text).unwrap_or_default()
}

/// The list, the most worth first.
pub(super) fn section(all: &[Recommendation]) -> Markup {
    html! {
        section {
            h2 { "Recommendations" }
            @if all.is_empty() {
                div.empty {
                    p { "None were made yet from what is recorded here." }
                    p {
                        code { "trimtab optimize" } " replays what was recorded under other choices, and ranks those that are proved to help; "
                        "each comes with its proof and its undo."
                    }
                }
            } @else {
                p.quiet { "From the last " code { "trimtab optimize" } " here; each proved by a replay of what was recorded." }
                ol { @for one in all { (item(one)) } }
            }
        }
    }
}

fn item(one: &Recommendation) -> Markup {
    html! {
        li {
            b { (one.title) }
            p { (effect(&one.effect)) "." }
            @for worse in &one.worse_for { p.quiet { "Worse: " (worse) "." } }
            details {
                summary { "What is to be done, its undo, its proof" }
                @for step in &one.change { pre { (step.text) } }
                p.quiet { "Undone by:" }
                @for step in &one.undo { pre { (step.text) } }
                p.quiet { "Proof:" }
                pre { (one.proof.command) }
            }
            p.quiet {
                @if one.is_ours() {
                    code { "trimtab apply " (one.id) } " does it, once you agree."
                } @else {
                    "It is done elsewhere, as shown: Trimtab does not steer what it is done to."
                }
            }
        }
    }
}
