//! To drain a node that fails its test, as a recommendation that somebody agrees to.

use fleet::finding::{Evidence, Finding};
use fleet::health::NODE_UNFIT;
use fleet::recommendation::{Effect, Proof, Recommendation, Step, Worth};

/// What to do about a node that fails its test; nothing for findings of other rules. Its id is the same as long as the same things are wrong.
#[must_use]
pub fn drain_of(finding: &Finding) -> Option<Recommendation> {
    let node = finding.places.iter().find(|place| place.kind == "node" && finding.rule == NODE_UNFIT)?;
    let name = shlex_quoted(&node.name);
    let step = |text: String| vec![Step { system: Step::TRIMTAB.to_owned(), text }];
    let shown = finding.evidence.iter().map(figure);
    let none = String::new;
    Some(Recommendation {
        id: format!("drain-{}-{:08x}", node.name, hash(&finding.evidence)),
        rule: NODE_UNFIT.to_owned(),
        title: format!("Drain {}, which fails its self-test", node.name),
        because: [finding.verdict.clone()].into_iter().chain(shown).collect(),
        effect: Effect::default(),
        worth: Worth::default(),
        worse_for: vec![format!("whoever waits for room: nothing new starts on {} until it is used again", node.name)],
        risks: vec!["What runs there goes on, and may die of the same fault.".to_owned()],
        change: step(format!("trimtab drain {name}")),
        undo: step(format!("trimtab drain {name} --undo")),
        // Not a replay: the test itself shows it.
        proof: Proof {
            history: none(),
            baseline: none(),
            candidate: none(),
            seed: 0,
            engine: none(),
            command: "trimtab health".to_owned(),
        },
    })
}

/// A name as a word of a command: names of hosts need no quotes, and nobody else gives names that do.
fn shlex_quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if name.chars().all(plain) && !name.is_empty() {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

fn figure(evidence: &Evidence) -> String {
    let beside = evidence.beside.as_ref().map(|beside| format!(" ({} {})", beside.what, beside.value));
    let unit = if evidence.unit.is_empty() { String::new() } else { format!(" {}", evidence.unit) };
    format!("{}: {}{unit}{}", evidence.what, evidence.value, beside.unwrap_or_default())
}

/// Of what is wrong, not of how much: FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv).
fn hash(evidence: &[Evidence]) -> u32 {
    let mut all: Vec<&str> = evidence.iter().map(|one| one.what.as_str()).collect();
    all.sort_unstable();
    let bytes = all.iter().flat_map(|what| what.bytes().chain([b'\n']));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use fleet::finding::Place;

    use super::*;

    fn unfit(node: &str, room: f64) -> Finding {
        let mut finding = Finding::new(NODE_UNFIT, format!("{node} fails its self-test"));
        finding.places.push(Place::new("node", node));
        finding.evidence.push(Evidence::new("room on the disk", room, "%").beside("when the node was well", 40.0));
        finding
    }

    #[test]
    fn the_same_fault_keeps_its_id_and_another_has_another() {
        let id = |finding: &Finding| drain_of(finding).unwrap().id;
        let first = unfit("gpu-3", 1.0);
        assert_eq!(id(&first), id(&unfit("gpu-3", 2.5)));
        let mut more = first.clone();
        more.evidence.push(Evidence::new("failed: the kernel log", 1.0, ""));
        assert_ne!(id(&first), id(&more));
        assert_ne!(id(&first), id(&unfit("gpu-4", 1.0)));
        let other = Finding { rule: "hang".into(), ..first };
        assert_eq!(drain_of(&other), None);
    }

    #[test]
    fn it_says_what_is_done_why_and_how_it_is_taken_back() {
        let drain = drain_of(&unfit("gpu-3", 1.0)).unwrap();
        assert!(drain.is_ours());
        assert_eq!(
            (&*drain.change[0].text, &*drain.undo[0].text),
            ("trimtab drain gpu-3", "trimtab drain gpu-3 --undo")
        );
        assert_eq!(drain.because, ["gpu-3 fails its self-test", "room on the disk: 1 % (when the node was well 40)"]);
        assert_eq!(drain_of(&unfit("a b", 1.0)).unwrap().change[0].text, "trimtab drain 'a b'");
    }
}
