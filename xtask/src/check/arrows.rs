//! Which crate of the workspace may use which: the arrows of docs/ARCHITECTURE.md, held.

use super::packages::{Arrow, Metadata, Purpose};
use super::{Outcome, passed_unless};

/// Every crate with the crates it may use. A crate that is not here fails: adding one is a decision about the design.
const MAY_USE: &[(&str, &[&str])] = &[
    ("fleet", &[]),
    ("allocate", &["fleet"]),
    ("replay", &["allocate", "fleet"]),
    ("diagnose", &["fleet"]),
    ("purchase", &["replay", "allocate", "fleet"]),
    ("advise", &["replay", "allocate", "diagnose", "purchase", "fleet"]),
    ("control", &["allocate", "fleet"]),
    ("connect", &["fleet"]),
    ("store", &["fleet"]),
    ("feed", &[]),
    ("python", &["feed"]),
    ("server", &["control", "advise", "replay", "allocate", "diagnose", "purchase", "store", "fleet"]),
    (
        "trimtab",
        &[
            "server", "control", "advise", "replay", "allocate", "diagnose", "purchase", "connect", "store", "feed",
            "fleet",
        ],
    ),
    // They use nothing of Trimtab: one finds files and records skips, one runs a Slurm, one runs the program itself, one is a store of
    // objects, one trains.
    ("testkit", &[]),
    ("slurm-rig", &[]),
    ("live-rig", &[]),
    ("object-rig", &[]),
    ("train-rig", &[]),
    // Benchmarks measure these; nothing uses xtask.
    (
        "xtask",
        &[
            "slurm-rig",
            "live-rig",
            "object-rig",
            "train-rig",
            "advise",
            "replay",
            "allocate",
            "diagnose",
            "purchase",
            "connect",
            "store",
            "feed",
            "fleet",
        ],
    ),
];

/// What tests may use wherever they are, and nothing else may unless the table says so.
const FOR_TESTS: &[&str] = &["testkit", "slurm-rig", "live-rig", "object-rig", "train-rig"];

/// Every arrow of the workspace is allowed.
pub(super) fn run() -> anyhow::Result<Outcome> {
    let metadata = Metadata::read()?;
    let mut problems: Vec<String> = metadata
        .members()
        .filter(|member| allowed(&member.name).is_none())
        .map(|member| {
            format!("crate {} is not in the table of xtask/src/check/arrows.rs: say there what it may use", member.name)
        })
        .collect();
    problems.extend(metadata.arrows().iter().filter_map(problem));
    passed_unless(&problems)
}

fn allowed(crate_name: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == crate_name).map(|(_, uses)| *uses)
}

/// What is wrong with an arrow, if anything is.
fn problem(arrow: &Arrow) -> Option<String> {
    let Arrow { from, to, purpose } = arrow;
    let uses = allowed(from)?;
    if uses.contains(&to.as_str()) {
        return None;
    }
    if FOR_TESTS.contains(&to.as_str()) {
        return (*purpose == Purpose::Program)
            .then(|| format!("{from} depends on {to}, which is for tests: move it to [dev-dependencies]"));
    }
    Some(match uses {
        [] => format!("{from} may not use {to}: it uses no other crate of the workspace"),
        uses => format!("{from} may not use {to}: only {}", uses.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, purpose: Purpose, expected: Option<&str>) {
        let arrow = Arrow { from: from.to_owned(), to: to.to_owned(), purpose };
        assert_eq!(problem(&arrow).as_deref(), expected);
    }

    #[test]
    fn arrows_point_down() {
        check("replay", "allocate", Purpose::Program, None);
        check("allocate", "replay", Purpose::Program, Some("allocate may not use replay: only fleet"));
        check("allocate", "replay", Purpose::Tests, Some("allocate may not use replay: only fleet"));
        check(
            "fleet",
            "connect",
            Purpose::Tests,
            Some("fleet may not use connect: it uses no other crate of the workspace"),
        );
    }

    #[test]
    fn testkit_is_for_tests() {
        check("fleet", "testkit", Purpose::Tests, None);
        check(
            "fleet",
            "testkit",
            Purpose::Program,
            Some("fleet depends on testkit, which is for tests: move it to [dev-dependencies]"),
        );
    }

    #[test]
    fn no_arrow_of_the_table_has_a_way_back() {
        for (from, uses) in MAY_USE {
            for to in *uses {
                assert!(!allowed(to).unwrap().contains(from), "{from} and {to} use each other");
            }
        }
    }
}
