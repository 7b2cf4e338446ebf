//! Trimtab's own metrics, in the text format of Prometheus (version 0.0.4).

use std::fmt::Write;

use axum::extract::State as Extract;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use fleet::kept_finding::FindingState;
use store::{FindingQuery, State as Standing};

use super::reading;
use crate::agents;
use crate::failure::Failure;
use crate::page::now;
use crate::state::State;

/// Counts and amounts of this installation.
pub(crate) async fn metrics(Extract(state): Extract<State>) -> Result<Response, Failure> {
    reading(move || {
        let counts = state.reader.counts(None)?;
        let nodes = state.reader.nodes()?;
        let last = state.reader.last_seq()?;
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, u64)>| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let workloads = Standing::ALL
            .into_iter()
            .map(|state| (format!("{{state=\"{}\"}}", state.name()), counts.get(&state).copied().unwrap_or(0)));
        family("trimtab_workloads", "gauge", "Workloads by state.", workloads.collect());
        let devices = nodes.iter().map(|node| u64::from(node.facts.devices)).sum();
        family("trimtab_nodes", "gauge", "Nodes that are known.", vec![(String::new(), nodes.len() as u64)]);
        family("trimtab_devices", "gauge", "Accelerators of all known nodes.", vec![(String::new(), devices)]);
        family("trimtab_log_entries_total", "counter", "Entries of the log.", vec![(String::new(), last)]);
        let now = now();
        let mut found = Vec::new();
        for standing in [FindingState::Open, FindingState::Muted] {
            let all = state.reader.findings(&FindingQuery::of(standing, now))?;
            found.push((format!("{{state=\"{}\"}}", standing.name()), all.len() as u64));
        }
        family("trimtab_findings", "gauge", "Things that are wrong now, by state; 1000 of each at most.", found);
        let agents = agents::list(&state.reader, now)?;
        let silent = agents.iter().filter(|agent| agent.is_silent).count() as u64;
        let heard = agents.len() as u64 - silent;
        let states =
            [("heard", heard), ("silent", silent)].map(|(state, count)| (format!("{{state=\"{state}\"}}"), count));
        family("trimtab_agents", "gauge", "Agents on other machines, by state.", states.to_vec());
        let lost = agents.iter().map(|agent| agent.stored.lost + agent.stored.refused).sum();
        let help = "Reports of agents that were lost there, or could not be taken here.";
        family("trimtab_agent_reports_lost_total", "counter", help, vec![(String::new(), lost)]);
        let kept = state.logs.kept();
        let one = |value| vec![(String::new(), value)];
        family(
            "trimtab_logs_workloads",
            "gauge",
            "Workloads whose output is kept, at the last look.",
            one(kept.workloads),
        );
        family("trimtab_logs_bytes", "gauge", "Output of workloads that is kept, at the last look.", one(kept.bytes));
        let help = "Workloads whose output was let go since the start.";
        family("trimtab_logs_let_go_total", "counter", help, one(kept.let_go));
        let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Ok(([(header::CONTENT_TYPE, plain)], text).into_response())
    })
    .await
}
