//! Names that would leave their folder, or become markup, if they were taken at their word.

use serde_json::{Value, json};

use super::{Attack, Trap};

const PATHS: &[&str] = &[
    "../../etc/passwd",
    "..",
    "a/../../b",
    "..\\..\\windows",
    "logs/../../token",
    "\0",
    "a\nb",
    "\u{1b}[2J",
    "\r\nSet-Cookie: a=b",
];

const MARKUP: &[&str] = &[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "</td></tr></table><h1>",
    "<b>bold</b>",
    "<!--",
];

pub(super) fn all(trap: &Trap<'_>) -> Vec<Attack> {
    let long = "x".repeat(201);
    let names = || PATHS.iter().chain(MARKUP).copied().chain(["", &long]);
    let mut attacks = Vec::new();
    for name in names() {
        for field in ["name", "queue", "user", "models"] {
            let value = if field == "models" { json!([name]) } else { json!(name) };
            attacks.push(submission(trap, field, &value));
        }
    }
    for name in names() {
        let name = escaped(name);
        attacks.push(Attack::new("PUT", format!("/api/v1/queues/{name}"), "{}"));
        attacks.push(Attack::new("POST", format!("/api/v1/nodes/{name}/drain"), "{}"));
        attacks.push(Attack::new("POST", format!("/api/v1/nodes/{name}/resume"), "{}"));
        attacks.push(Attack::new("GET", format!("/api/v1/workloads/{name}/log"), ""));
        attacks.push(Attack::new("GET", format!("/api/v1/{name}/workloads"), ""));
    }
    // Not escaped, as no browser would send them; and escapes that are none.
    for path in [
        "/api/v1/../../../etc/passwd",
        "//etc/passwd",
        "/api/v1/workloads/1/log/../../../token",
        "/api/v1/queues/%zz",
        "/%00",
    ] {
        attacks.push(Attack::new("GET", path, ""));
    }
    attacks.push(Attack::new("PUT", "/api/v1/queues/%ff%fe", "{}"));
    attacks
}

fn submission(trap: &Trap<'_>, field: &str, value: &Value) -> Attack {
    let mut workload = json!({ "command": ["touch", trap.file], "directory": "/" });
    workload[field] = value.clone();
    Attack::new("POST", "/api/v1/workloads", json!({ "workloads": [workload] }).to_string())
}

fn escaped(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
