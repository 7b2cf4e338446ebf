//! What the API tells of how busy nodes are.

use serde_json::{Value, json};

use crate::http::{Answer, send};
use crate::made;
use crate::rig::{Rig, VIEW};

fn asked(rig: &Rig, path: &str) -> Answer {
    let token = format!("Bearer {VIEW}");
    send(rig, "GET", path, &[("authorization", &token)], "")
}

#[test]
fn what_was_measured_last_is_told_and_what_was_not_is_unknown() {
    let rig = Rig::new(made::hostile);
    let nodes: Value = serde_json::from_str(&asked(&rig, "/api/v1/nodes").body).unwrap();
    let (measured, unmeasured) = (&nodes[0]["busy"], &nodes[1]["busy"]);
    assert_eq!((&measured["memory_used_bytes"], &measured["load_1m"]), (&json!(180_u64 << 30), &json!(25.0)));
    assert!((measured["device_busy_ratio"].as_f64().unwrap() - 0.25).abs() < 0.05, "of three, not of four: {measured}");
    let devices = measured["devices"].as_array().unwrap();
    assert_eq!((devices.len(), &devices[2]["busy_ratio"]), (4, &json!(0.004)));
    assert_eq!(devices[3], json!({ "device": 3, "busy_ratio": null, "memory_used_bytes": null }));
    assert_eq!((&unmeasured["cpu_busy_cores"], &unmeasured["device_busy_ratio"]), (&Value::Null, &Value::Null));
    assert_eq!(unmeasured["devices"].as_array().unwrap().len(), 4);
}

#[test]
fn samples_come_thinned_and_bounded() {
    let rig = Rig::new(made::hostile);
    let node = made::measured_node().replace("/node?name=", "/api/v1/nodes/");
    let samples = |query: &str| -> Value {
        let answer = asked(&rig, &format!("{node}/samples?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let hour = samples("metric=cpu_busy_cores");
    let points = hour["points"].as_array().unwrap();
    assert_eq!(hour["interval_ms"], 5_000);
    assert!((600..=720).contains(&points.len()), "{}", points.len());
    let day = samples("metric=device_busy_ratio&from_ms=0");
    assert_eq!((&day["interval_ms"], &day["device"]), (&json!(120_000), &Value::Null));
    let point = &day["points"][3];
    let [least, mean, most] = ["min", "mean", "max"].map(|name| point[name].as_f64().unwrap());
    assert!(least == 0.0 && (0.2..0.4).contains(&mean) && most > 0.7, "{point}");
    let unreadable = samples("metric=device_busy_ratio&device=3");
    let points = unreadable["points"].as_array().unwrap();
    assert!(!points.is_empty() && points.iter().all(|point| point["mean"].is_null()), "unknown is no zero");
    let status = |path: &str| asked(&rig, path).status;
    assert_eq!(status("/api/v1/nodes/elsewhere/samples?metric=load_1m"), 404);
    assert_eq!(status(&format!("{node}/samples?metric=nonsense")), 400);
    assert_eq!(status(&format!("{node}/samples?metric=load_1m&from_ms=9&until_ms=9")), 400);
}
