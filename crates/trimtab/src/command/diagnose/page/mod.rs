//! What was found as one page that opens from disk without a network: its only script is our own, and draws timelines.

mod style;
mod tables;
#[cfg(test)]
mod tests;
mod timeline;

use ::diagnose::drawing::Drawing;
use ::diagnose::hang::Matrix;
use fleet::finding::Finding;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::Diagnosed;
use super::words::{figure, standing, worth};
use crate::page_style;

/// What is drawn of a file, beside its tables.
#[derive(Debug)]
pub(super) enum Picture {
    /// Lanes over time.
    Drawing(Box<Drawing>),
    /// Ranks by groups.
    Matrix(Matrix),
}

/// All drawings of a page have at most so many segments: a browser still opens it, with about 6 MB. What comes after is left out.
const SEGMENTS_MAX: usize = 240_000;

/// So many files are shown; each has a part of its own.
const FILES_MAX: usize = 500;

/// So many findings of a file are shown.
const FINDINGS_MAX: usize = 200;

/// The page. Whatever files name is escaped.
pub(super) fn render(files: &[Diagnosed]) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(timeline::SCRIPT))
    );
    let mut segments = 0;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="color-scheme" content="light dark";
                title { "Trimtab: " (headline(files)) }
                style { (PreEscaped(page_style::BASE)) (PreEscaped(style::CSS)) }
            }
            body {
                header { h1 { (headline(files)) } }
                main {
                    @if files.len() > 1 { (contents(files)) }
                    @for (at, file) in files.iter().take(FILES_MAX).enumerate() { (part(at, file, &mut segments)) }
                    @if files.len() > FILES_MAX { p.soft { "And " (files.len() - FILES_MAX) " files more; --format json has them all." } }
                }
                footer { "Made by trimtab diagnose. docs/DIAGNOSE.md tells what each verdict rests on." }
                script { (PreEscaped(timeline::SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// What was found first, in a sentence.
fn headline(files: &[Diagnosed]) -> String {
    let found = files.iter().flat_map(|file| &file.findings).collect::<Vec<&Finding>>();
    match found[..] {
        [] => "Nothing is wrong that these files would show".to_owned(),
        [only] => only.verdict.clone(),
        [first, ..] => format!("{}; {} findings in all", first.verdict, found.len()),
    }
}

fn contents(files: &[Diagnosed]) -> Markup {
    html! {
        nav aria-label="Files" { ul.contents {
            @for (at, file) in files.iter().take(FILES_MAX).enumerate() {
                li { a href={ "#f" (at) } { (file.file) } ": " (count(file.findings.len())) }
            }
        } }
    }
}

fn count(findings: usize) -> String {
    match findings {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }
}

fn part(at: usize, of: &Diagnosed, segments: &mut usize) -> Markup {
    html! {
        section id={ "f" (at) } {
            h2 { (of.file) }
            p.about { (of.about) }
            @if of.findings.is_empty() { p { "Nothing is wrong that this file would show." } }
            @for finding in of.findings.iter().take(FINDINGS_MAX) { (card(finding)) }
            @if of.findings.len() > FINDINGS_MAX {
                p.soft { "And " (of.findings.len() - FINDINGS_MAX) " findings more; --format json has them all." }
            }
            (picture(of, segments))
            div.figures { (tables::tables(&of.figures)) }
            @if of.left_out.count > 0 {
                details {
                    summary { (of.left_out.count) " left out, since it could not be read" }
                    ul { @for problem in &of.left_out.first { li { (problem.to_string()) } } }
                }
            }
        }
    }
}

fn card(of: &Finding) -> Markup {
    html! {
        article.card {
            h3 { (of.verdict) }
            p.soft { (standing(of)) }
            @if let Some(speedup) = of.speedup { p.worth { (worth(speedup)) } }
            @if !of.evidence.is_empty() {
                div.scroll { table {
                    tbody { @for evidence in &of.evidence { tr {
                        td { (evidence.what) }
                        td.n { (figure(evidence.value)) " " (evidence.unit) }
                        @if let Some(beside) = &evidence.beside {
                            td { (beside.what) }
                            td.n { (figure(beside.value)) " " (evidence.unit) }
                        } @else { td {} td {} }
                    } } }
                } }
            }
            @if !of.advice.is_empty() { ul { @for sentence in &of.advice { li { (sentence) } } } }
        }
    }
}

fn picture(of: &Diagnosed, segments: &mut usize) -> Markup {
    match &of.picture {
        None => html! {},
        Some(Picture::Matrix(matrix)) => tables::matrix(matrix),
        Some(Picture::Drawing(drawing)) if drawing.lanes.is_empty() => html! {},
        Some(Picture::Drawing(drawing)) => {
            *segments += timeline::segments(drawing);
            html! {
                @if *segments <= SEGMENTS_MAX { (timeline::timeline(drawing, &of.file)) }
                @else { p.soft { "Not drawn: the timelines above have the " (SEGMENTS_MAX) " segments that a page has at most. Diagnose this file alone to see it." } }
            }
        }
    }
}

/// Base64 (RFC 4648), as policies have hashes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letters = (0..4).map(|at| char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]));
        text.extend(letters.take(three.len() + 1).chain(std::iter::repeat_n('=', 3 - three.len())));
    }
    text
}
