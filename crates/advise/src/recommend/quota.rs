//! Quotas by what each queue used, where there are none.

use fleet::quantity::MilliDevice;
use replay::scenario::Change;
use replay::setup::Setup;

use super::Candidate;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let queues = ground.setup.queues.len();
    if queues < 2 || ground.setup.queues.iter().any(|queue| queue.quota_milli.is_some()) {
        return Vec::new();
    }
    let scenario = ground.options.baseline.with(Change::QuotaByUse);
    let Ok(setup) = Setup::new(ground.history, &scenario) else { return Vec::new() };
    let lines = setup.queues.iter().map(|queue| {
        let quota = queue.quota_milli.unwrap_or_default().0 / MilliDevice::WHOLE;
        format!("[[queues]]\nname = \"{}\"\nquota_devices = {quota}", queue.name)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    vec![Candidate {
        title: "Give every queue a quota by what it used; who is within it goes before who borrows".into(),
        because: vec!["Without quotas a queue that submits much at once makes all others wait.".into()],
        change: vec![ground.step(None, text)],
        undo: vec![ground.step(None, "# remove the quota_devices lines".into())],
        scenario,
        risks: vec!["Use shifts between queues over time; quotas by past use have to be looked at again.".into()],
    }]
}
