//! What is answered to whom. No socket.

use super::exposition::exposition;
use super::http::{Refusal, Request, Response};
use super::quiet;
use super::told::Told;
use crate::meter::Report;

/// Which loader it is, and what asks it for a report: none once it has ended.
pub(super) struct Answers {
    pub(super) pid: u32,
    pub(super) loader: u32,
    pub(super) report: Box<dyn Fn() -> Option<Report> + Send + Sync>,
}

impl Answers {
    /// The answer to a request, as it is sent; none while no report is to be made.
    pub(super) fn to(&self, request: &Result<Request, Refusal>) -> Option<Vec<u8>> {
        match request {
            Ok(request) => Some(self.found(&request.path)?.bytes(request.is_head)),
            Err(refusal) => Some(Response::from(*refusal).bytes(false)),
        }
    }

    fn found(&self, path: &str) -> Option<Response> {
        if !matches!(path, "/report" | "/metrics" | "/health") {
            return Some(Response::words("404 Not Found", "there are /metrics, /report and /health"));
        }
        let Some(report) = quiet::make(|| (self.report)())? else {
            return Some(Response::words("503 Service Unavailable", "the loader has ended"));
        };
        let told = Told { pid: Some(self.pid), loader: Some(self.loader), report };
        Some(match path {
            "/report" => {
                let text = serde_json::to_string(&told).expect("a report is plain data");
                Response::ok("application/json", text + "\n")
            }
            "/metrics" => Response::exposition(exposition(&[told])),
            _ => Response::ok("text/plain; charset=utf-8", "ok\n".to_owned()),
        })
    }
}
