//! Whoever has no token, or a wrong one; and pages of other sites in a browser that has the right one.

use serde_json::json;

use super::{Attack, Trap};

fn good(trap: &Trap<'_>) -> Attack {
    let workload = json!({ "command": ["touch", trap.file], "directory": "/" });
    Attack::new("POST", "/api/v1/workloads", json!({ "workloads": [workload] }).to_string())
}

pub(super) fn tokens(trap: &Trap<'_>) -> Vec<Attack> {
    let token = trap.token;
    let wrong = [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Bearer {}", &token[1..]),
        format!("Bearer {token}0"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", "0".repeat(token.len())),
        format!("Bearer {token} {token}"),
        format!("Basic {token}"),
        token.to_owned(),
        format!("Bearer {}", "x".repeat(8_000)),
        "Bearer \u{e9}\u{e9}".into(),
    ];
    let mut attacks = Vec::new();
    for value in wrong {
        attacks.push(good(trap).with("authorization", value.clone()));
        for path in ["workloads", "nodes", "queues", "health", "workloads/1/log", "openapi.json", "nothing/here"] {
            attacks.push(Attack::new("GET", format!("/api/v1/{path}"), "").with("authorization", value.clone()));
        }
        attacks.push(Attack::new("PUT", "/api/v1/queues/stranger", "{}").with("authorization", value));
    }
    let cut = &trap.cookie[..trap.cookie.len() - 1];
    let as_session = format!("trimtab_session={token}");
    for cookie in ["trimtab_session=", "trimtab_session=wrong", "other=1; trimtab_session=wrong", cut, &as_session] {
        attacks.push(good(trap).with("authorization", "").with("cookie", cookie));
    }
    let queries = format!("/api/v1/workloads?token={token}");
    attacks.push(Attack::new("GET", queries, "").with("authorization", ""));
    attacks
}

pub(super) fn sites(trap: &Trap<'_>) -> Vec<Attack> {
    let address = trap.address;
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let hosts = [
        String::new(),
        "evil.example".into(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("{address}@evil.example"),
        format!("evil.example#{address}"),
        format!("localhost.:{port}"),
        "127.0.0.2".into(),
        "127.0.0.1:x".into(),
        "[::1".into(),
        "0".into(),
    ];
    let origins = [
        "https://evil.example".to_owned(),
        "http://localhost".into(),
        format!("http://localhost:{port}"),
        "http://127.0.0.1:1".into(),
        format!("http://{address}.evil.example"),
        format!("ftp://{address}"),
        "null".into(),
        "file://".into(),
    ];
    let mut attacks = Vec::new();
    for host in hosts {
        attacks.push(good(trap).with("host", host.clone()));
        attacks.push(Attack::new("GET", "/api/v1/workloads", "").with("host", host));
    }
    for origin in origins {
        attacks.push(good(trap).with("origin", origin.clone()));
        attacks.push(Attack::new("PUT", "/api/v1/queues/stranger", "{}").with("origin", origin.clone()));
        attacks.push(good(trap).with("authorization", "").with("cookie", trap.cookie).with("origin", origin));
    }
    for site in ["cross-site", "same-site", "x"] {
        attacks.push(good(trap).with("sec-fetch-site", site));
    }
    attacks
}
