//! Interfaces and ports: whether they are up, how fast they are, and whether they had errors.

use std::fs;
use std::path::Path;

use fleet::health::{Better, Measured};

/// So many interfaces are told of.
const INTERFACES_MAX: usize = 64;
/// InfiniBand: more errors of symbols than this since the port's counters began say that the cable or its contacts are bad. The specification
/// allows a bit in 10¹², some errors a day on a link of 100 Gbit/s; ours.
const SYMBOL_ERRORS_MAX: u64 = 1_000;

pub(super) fn probe(root: &Path) -> Vec<Measured> {
    let mut found = Vec::new();
    for (name, folder) in entries(&root.join("sys/class/net")) {
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default().trim().to_owned();
        // Only what stands for hardware: bridges, loopback and the like have no device behind them.
        if !folder.join("device").exists() {
            continue;
        }
        let up = read("operstate") == "up";
        // A virtual interface says nothing, or -1.
        let gbit = read("speed").parse::<f64>().ok().filter(|mbit| *mbit > 0.0).map(|mbit| mbit / 1e3);
        if up {
            found.push(Measured::new("network", format!("speed of {name}"), gbit, "Gbit/s").better(Better::Higher));
        }
    }
    for (adapter, folder) in entries(&root.join("sys/class/infiniband")) {
        for (number, port) in entries(&folder.join("ports")) {
            let read = |file: &str| fs::read_to_string(port.join(file)).unwrap_or_default().trim().to_owned();
            let name = format!("{adapter}/{number}");
            let rate = read("rate").split_ascii_whitespace().next().and_then(|rate| rate.parse().ok());
            let state = read("state");
            let errors = read("counters/symbol_error").parse::<u64>().ok();
            let wrong = if !state.contains("ACTIVE") && read("phys_state").contains("Polling") {
                Some(format!("the port {name} looks for a link and finds none: see its cable and the switch"))
            } else {
                errors.filter(|errors| *errors > SYMBOL_ERRORS_MAX).map(|errors| {
                    format!("the port {name} has counted {errors} faults on the wire: clean or change its cable (perfquery -x)")
                })
            };
            found.push(
                Measured::new("network", format!("speed of port {name}"), rate, "Gbit/s")
                    .better(Better::Higher)
                    .wrong(wrong),
            );
        }
    }
    found.truncate(INTERFACES_MAX);
    found
}

/// The folders of a folder, by name.
fn entries(path: &Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut entries: Vec<_> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_find_no_link_and_wires_with_faults_are_told() {
        let root = tempfile::TempDir::new().unwrap();
        for (adapter, state, physical, errors) in [
            ("mlx5_0", "4: ACTIVE", "5: LinkUp", "0"),
            ("mlx5_1", "1: DOWN", "2: Polling", "0"),
            ("mlx5_2", "4: ACTIVE", "5: LinkUp", "4000"),
        ] {
            let port = root.path().join("sys/class/infiniband").join(adapter).join("ports/1");
            fs::create_dir_all(port.join("counters")).unwrap();
            for (name, text) in [
                ("state", state),
                ("phys_state", physical),
                ("rate", "400 Gb/sec (4X NDR)"),
                ("counters/symbol_error", errors),
            ] {
                fs::write(port.join(name), text).unwrap();
            }
        }
        let found = probe(root.path());
        let wrong: Vec<bool> = found.iter().map(|found| found.wrong.is_some()).collect();
        assert_eq!(wrong, [false, true, true]);
        assert_eq!(found[0].value, Some(400.0));
    }
}
