//! The page of rules is checked in, made from their registries: whoever changes a rule changes it too, and sees what changed.

use std::fmt::Write;
use std::path::Path;

/// Set to write the page anew.
const WRITE_ENV: &str = "TRIMTAB_WRITE_GOLDEN";

#[test]
fn the_rules_are_as_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let now = page();
    if std::env::var_os(WRITE_ENV).is_some() {
        std::fs::write(&path, &now).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(now == kept, "rules changed: write docs/rules.md with {WRITE_ENV}=1 cargo test -p trimtab --test diagnose");
}

fn page() -> String {
    let mut text = String::from(
        "# Rules\n\n\
         What Trimtab finds, made from the registries in `crates/diagnose`. *Ours*: a threshold that is from nobody else.\n\n\
         ## What runs now\n\n\
         `trimtab agent` and `trimtab up` hold a job against its own past. What its steps take longer is attributed to one of these, in this\n\
         order: what the kernel counts before what only steps show. From `device-lost` on they are about the node, whatever runs there; of `copy-bound` and\n\
         those behind it, and `busy-not-working`, one at most is told of a device. Signals are those of [signals.md](signals.md).\n\n\
         | rule | what it finds | threshold | signals |\n| --- | --- | --- | --- |\n",
    );
    for rule in diagnose::live::rules() {
        let signals: Vec<String> = rule.signals.iter().map(|signal| format!("`{}`", signal.name)).collect();
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", rule.name, rule.about, rule.threshold, signals.join(", "));
    }
    text.push_str(
        "\n## Nodes\n\n\
         What `trimtab health` tests, and `trimtab up` before something starts and after something died, if it is told to ([LIVE.md](LIVE.md)).\n\n\
         | rule | what it finds | threshold |\n| --- | --- | --- |\n",
    );
    let rule = &diagnose::fitness::RULE;
    let _ = writeln!(text, "| `{}` | {} | {} |", rule.name, rule.about, rule.threshold);
    text.push_str(
        "\n## Devices\n\n\
         Of lists that a vendor's tool prints, at one moment. *Unvalidated* rules were tried on lists that others recorded, and not yet beside a\n\
         device in that state; their findings say so.\n\n\
         | rule | what it finds | where its threshold is from | |\n| --- | --- | --- | --- |\n",
    );
    for rule in diagnose::devices::ALL {
        let validated = if rule.validated { "" } else { "unvalidated" };
        let _ = writeln!(text, "| `{}` | {} | {} | {validated} |", rule.name, rule.about, rule.source);
    }
    text
}
