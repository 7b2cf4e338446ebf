//! Bodies that are no JSON, or not the JSON that is wanted, and bodies without measure.

use live_rig::Random;
use serde_json::json;

use super::{Attack, Trap};

const SEED: u64 = 5;
const FUZZED: usize = 3_000;
/// The bytes that mean something in JSON, and some that mean nothing anywhere.
const BYTES: &[u8] = b"{}[]:,\"\\0129.-+eEnulltrue \n\t\x00\x01\x7f\x80\xc3\xed\xff";
const LARGE: usize = 100 << 20;
const SUBMIT: &str = "/api/v1/workloads";

/// A good submission but for a field that nobody knows: whatever a change makes of it, it is not good.
fn nearly_good(trap: &Trap<'_>) -> String {
    let workload = json!({
        "command": ["touch", trap.file], "directory": "/", "name": "fuzzed", "queue": "default", "user": "someone",
        "environment": { "A": "b" }, "request": { "cpu_milli": 100, "memory_bytes": 1_024 }, "retries": 1, "priority": -3,
        "time_limit_ms": 60_000, "grace_ms": 1_000, "array": { "index": 0, "count": 2 },
    });
    format!("{{\"workloads\":[{workload}],\"nobody knows this\":1}}")
}

pub(super) fn fuzzed(trap: &Trap<'_>) -> Vec<Attack> {
    let mut random = Random::new(SEED);
    let good = nearly_good(trap).into_bytes();
    let mut bodies: Vec<Vec<u8>> = (0..FUZZED).map(|_| changed(&good, &mut random)).collect();
    let nested = |open: &str, count: usize| open.repeat(count).into_bytes();
    bodies.extend([Vec::new(), b"null".into(), b"[]".into(), b"\"\"".into(), b"\xff\xfe\x00".into(), good]);
    bodies.extend([nested("[", 200_000), nested("{\"workloads\":", 100_000)]);
    let targets = [("POST", SUBMIT), ("PUT", "/api/v1/queues/fuzzed")];
    bodies
        .into_iter()
        .enumerate()
        .map(|(place, body)| {
            let (method, path) = targets[usize::from(place % 5 == 0)];
            Attack::new(method, path, body)
        })
        .chain(forms(trap))
        .collect()
}

/// Some changes: bytes replaced, put in, taken out, doubled; the end cut off. The unknown field, behind them, stays.
fn changed(good: &[u8], random: &mut Random) -> Vec<u8> {
    let (mut body, tail) = (good.to_vec(), good.len() - "\"nobody knows this\":1}".len());
    let mut end = tail;
    for _ in 0..=random.below(6) {
        let at = random.below(end as u64) as usize;
        match random.below(4) {
            0 => body[at] = *random.one_of(BYTES),
            1 => {
                body.insert(at, *random.one_of(BYTES));
                end += 1;
            }
            2 => {
                body.remove(at);
                end -= 1;
            }
            _ => {
                let piece = body[at..(at + 20).min(end)].to_vec();
                end += piece.len();
                body.splice(at..at, piece);
            }
        }
    }
    if random.below(4) == 0 {
        body.truncate(random.below(body.len() as u64) as usize);
    }
    body
}

/// Good bodies in the dress of a page's form, which a browser would send without asking.
fn forms(trap: &Trap<'_>) -> Vec<Attack> {
    let good = json!({ "workloads": [{ "command": ["touch", trap.file], "directory": "/" }] }).to_string();
    let types =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""];
    types.map(|kind| Attack::new("POST", SUBMIT, good.as_str()).with("content-type", kind)).into()
}

pub(super) fn large(trap: &Trap<'_>) -> Vec<Attack> {
    let mut padded =
        json!({ "workloads": [{ "command": ["touch", trap.file], "directory": "/" }] }).to_string().into_bytes();
    padded.resize(LARGE, b' ');
    // In chunks, so that its length is not told before.
    let mut chunked = format!("{LARGE:x}\r\n").into_bytes();
    chunked.extend(&padded);
    chunked.extend(b"\r\n0\r\n\r\n");
    vec![
        Attack::new("POST", SUBMIT, padded.clone()),
        Attack::new("PUT", "/api/v1/queues/large", padded.clone()),
        Attack::new("POST", SUBMIT, chunked).with("transfer-encoding", "chunked").with("content-length", ""),
        Attack::new("POST", SUBMIT, padded).with("authorization", "Bearer wrong"),
    ]
}
