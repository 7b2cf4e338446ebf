//! Fields of the wrong kind, out of range or unknown, one at a time in a body that is good otherwise.

use serde_json::{Value, json};

use super::{Attack, Trap};

pub(super) fn all(trap: &Trap<'_>) -> Vec<Attack> {
    let good = json!({ "command": ["touch", trap.file], "directory": "/" });
    let workload = |(field, value): (&str, Value)| {
        let mut workload = good.clone();
        workload[field] = value;
        Attack::new("POST", "/api/v1/workloads", json!({ "workloads": [workload] }).to_string())
    };
    let body = |body: Value| Attack::new("POST", "/api/v1/workloads", body.to_string());
    let rules = |rules: Value| Attack::new("PUT", "/api/v1/queues/wrong", rules.to_string());
    let list = |query: &&str| Attack::new("GET", format!("/api/v1/workloads{query}"), "");
    let mut twice = good.clone();
    twice["after"] = json!([1]);
    let bodies = [
        json!({}),
        json!({ "workloads": [] }),
        json!({ "workloads": {} }),
        json!({ "workloads": [null] }),
        json!({ "workloads": [{}] }),
        json!({ "workloads": vec![good.clone(); 10_001] }),
        json!({ "workloads": [good.clone()], "as": "root" }),
        // All or none: the first is good.
        json!({ "workloads": [good.clone(), { "command": [], "directory": "/" }] }),
        json!({ "workloads": [good.clone(), twice] }),
    ];
    let mut attacks: Vec<Attack> = of_workloads().into_iter().map(workload).collect();
    attacks.extend(bodies.map(body));
    attacks.extend(of_queues().into_iter().map(rules));
    attacks.extend(QUERIES.iter().map(list));
    attacks.extend(ADDRESSES.iter().map(|&(method, path)| Attack::new(method, path, "{}")));
    attacks
}

fn of_workloads() -> Vec<(&'static str, Value)> {
    let large = u64::MAX;
    let of = |field: &'static str, values: Vec<Value>| values.into_iter().map(move |value| (field, value));
    let long = "x".repeat(200_000);
    let fields = [
        of(
            "command",
            vec![json!([]), json!([""]), json!(["a\0b"]), json!("true"), json!([1]), json!(null), json!([long])],
        ),
        of("directory", vec![json!(""), json!("relative"), json!("../.."), json!(null), json!(1), json!("/a\0b")]),
        of("environment", vec![json!({"": "x"}), json!({"A=B": "x"}), json!({"A": 1}), json!({"A": "\0"}), json!([])]),
        of("priority", vec![json!(1e99), json!("1"), json!(1.5), json!(1_u64 << 40)]),
        of(
            "request",
            vec![
                json!({"cpu_milli": -1}),
                json!({"cpu_milli": 1e300}),
                json!({"cpu_milli": large}),
                json!({"memory_bytes": large}),
                json!({"devices_milli": large}),
                json!({"devices_milli": 1_500}),
                json!({"gpu": 1}),
                json!([]),
            ],
        ),
        of("models", vec![json!([""]), json!([1]), json!("x")]),
        of("time_limit_ms", vec![json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN), json!(1.5), json!("1h")]),
        of("grace_ms", vec![json!(-1), json!(86_400_001), json!(i64::MAX)]),
        of("depends_on", vec![json!([99]), json!([0]), json!([-1]), json!(["1"]), json!(vec![1; 1_001])]),
        of("after", vec![json!([0]), json!([1]), json!([-1]), json!(vec![5; 100_000])]),
        of("retries", vec![json!(-1), json!(1_001), json!(1_u64 << 32)]),
        of(
            "array",
            vec![
                json!({"index": 1, "count": 1}),
                json!({"index": 0, "count": 200_000}),
                json!({"index": 0}),
                json!({}),
            ],
        ),
        of("run_as", vec![json!("root")]),
        of("devices", vec![json!(3)]),
    ];
    fields.into_iter().flatten().collect()
}

fn of_queues() -> Vec<Value> {
    vec![
        json!([]),
        json!(null),
        json!({ "quota": 1 }),
        json!({ "quota_milli": -1 }),
        json!({ "quota_milli": u64::MAX }),
        json!({ "limit_milli": u64::MAX }),
        json!({ "limit_per_user_milli": u64::MAX }),
        json!({ "limit_running": -1 }),
        json!({ "limit_running": 1_u64 << 32 }),
        json!({ "priority": 1_u64 << 31 }),
        json!({ "time_limit_max_ms": 0 }),
        json!({ "time_limit_max_ms": -1 }),
        json!({ "time_limit_max_ms": i64::MAX }),
        json!({ "time_limit_default_ms": -1 }),
        json!({ "time_limit_max_ms": 1_000, "time_limit_default_ms": 2_000 }),
    ]
}

const QUERIES: &[&str] = &[
    "?limit=0",
    "?limit=501",
    "?limit=-1",
    "?limit=all",
    "?before=-1",
    "?before=x",
    "?state=%3Cb%3E",
    "?state=waiting,../..",
    "?nobody=knows",
    "?limit=1&limit=2",
];

const ADDRESSES: &[(&str, &str)] = &[
    ("GET", "/api"),
    ("GET", "/api/v2/workloads"),
    ("GET", "/api/v1/workloads/x"),
    ("GET", "/api/v1/workloads/-1"),
    ("GET", "/api/v1/workloads/4294967296"),
    ("GET", "/api/v1/workloads/99"),
    ("GET", "/api/v1/workloads/99/why"),
    ("GET", "/api/v1/workloads/99/log"),
    ("GET", "/api/v1/workloads/99/log?offset=-1"),
    ("GET", "/api/v1/workloads/99/log?path=/etc/passwd"),
    ("POST", "/api/v1/workloads/99/cancel"),
    ("POST", "/api/v1/workloads/99/preempt"),
    ("POST", "/api/v1/workloads/99/delete"),
    ("DELETE", "/api/v1/workloads/99"),
    ("PUT", "/api/v1/workloads"),
    ("TRACE", "/api/v1/workloads"),
    ("DELETE", "/api/v1/queues/default"),
    ("POST", "/api/v1/nodes/elsewhere/drain"),
    ("POST", "/api/v1/nodes/elsewhere/resume"),
];
