//! Scripts and styles: part of the program, named by what is in them, so that a browser keeps them for good.
//!
//! htmx 2.0.11 (0BSD) and uPlot 1.6.32 (MIT) are as their makers publish them on npm; their licences lie beside them and are served with
//! them.

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::{Part, Refusal};
use crate::failure::Failure;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

const FILES: &[(&str, &str, &[u8])] = &[
    ("trimtab.css", CSS, include_bytes!("../../assets/trimtab.css")),
    ("trimtab.js", JAVASCRIPT, include_bytes!("../../assets/trimtab.js")),
    ("charts.js", JAVASCRIPT, include_bytes!("../../assets/charts.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
    ("htmx.min.js", JAVASCRIPT, include_bytes!("../../assets/htmx.min.js")),
    ("htmx.LICENSE", TEXT, include_bytes!("../../assets/htmx.LICENSE")),
    ("uPlot.iife.min.js", JAVASCRIPT, include_bytes!("../../assets/uPlot.iife.min.js")),
    ("uPlot.min.css", CSS, include_bytes!("../../assets/uPlot.min.css")),
    ("uPlot.LICENSE", TEXT, include_bytes!("../../assets/uPlot.LICENSE")),
];

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Of what is in it.
    hash: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |&(name, kind, bytes): &(&'static str, &'static str, &'static [u8])| {
        let hash: String = Sha256::digest(bytes)[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        Asset { name, kind, bytes, hash }
    };
    FILES.iter().map(asset).collect()
});

/// The address of a file.
pub(super) fn path(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name).expect("only files of the list are asked for");
    format!("/assets/{}-{name}", asset.hash)
}

/// What draws charts, in the order in which it is loaded, apart by spaces; pages without a chart do without.
pub(super) fn charts() -> String {
    ["uPlot.iife.min.js", "charts.js"].map(path).join(" ")
}

/// A file.
pub(super) async fn file(headers: HeaderMap, Part(file): Part<String>) -> Result<Response, Refusal> {
    let asset = file
        .split_once('-')
        .and_then(|(hash, name)| ASSETS.iter().find(|asset| (asset.hash.as_str(), asset.name) == (hash, name)));
    let asset = asset.ok_or_else(|| Failure::not_found("there is no such file", "load the page again"))?;
    let etag = format!("\"{}\"", asset.hash);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let about = [
        (header::CONTENT_TYPE, asset.kind.to_owned()),
        (header::ETAG, etag),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
    ];
    Ok(if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, asset.bytes).into_response() })
}
