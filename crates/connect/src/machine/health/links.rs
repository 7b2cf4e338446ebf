//! Whether PCIe links have the lanes that both of their ends could have: of accelerators, adapters to networks, and disks.

use std::fs;
use std::path::Path;

use fleet::health::{Better, Measured};

/// Classes of PCI devices that matter here, by the beginning of their code, with words for them.
const CLASSES: &[(&str, &str)] = &[
    ("0x0300", "GPU"),
    ("0x0302", "GPU"),
    ("0x1200", "accelerator"),
    ("0x02", "network adapter"),
    ("0x0108", "NVMe disk"),
];
/// So many links are told of.
const LINKS_MAX: usize = 256;

pub(super) fn probe(root: &Path) -> Vec<Measured> {
    let entries = fs::read_dir(root.join("sys/bus/pci/devices")).into_iter().flatten().flatten();
    let mut found: Vec<Measured> = entries.filter_map(|entry| link(&entry.path())).collect();
    found.sort_by(|a, b| a.what.cmp(&b.what));
    found.truncate(LINKS_MAX);
    found
}

fn link(folder: &Path) -> Option<Measured> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let number = |name: &str| read(name).trim().parse::<u32>().ok().filter(|lanes| *lanes > 0);
    let class = read("class");
    let (_, kind) = CLASSES.iter().find(|(code, _)| class.starts_with(code))?;
    let (now, most) = (number("current_link_width")?, number("max_link_width")?);
    let place = folder.file_name()?.to_string_lossy().into_owned();
    // Speed falls while a device rests, to save power; lanes do not.
    let wrong = (now < most).then(|| {
        format!("the link of {kind} {place} has {now} lanes of {most}: seat it anew, clean its contacts, or try another slot; a slot with fewer lanes is no fault")
    });
    Some(
        Measured::new("links", format!("lanes of {kind} {place}"), Some(now.into()), "")
            .better(Better::Higher)
            .wrong(wrong),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_fewer_lanes_is_told() {
        let root = tempfile::TempDir::new().unwrap();
        for (name, class, now, most) in [
            ("0000:01:00.0", "0x030200", 8, 16),
            ("0000:02:00.0", "0x020700", 16, 16),
            ("0000:03:00.0", "0x060400", 1, 4),
        ] {
            let folder = root.path().join("sys/bus/pci/devices").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("class"), format!("{class}\n")).unwrap();
            fs::write(folder.join("current_link_width"), format!("{now}\n")).unwrap();
            fs::write(folder.join("max_link_width"), format!("{most}\n")).unwrap();
        }
        let found = probe(root.path());
        let wrong: Vec<_> = found.iter().filter_map(|found| found.wrong.as_deref()).collect();
        assert_eq!((found.len(), wrong.len()), (2, 1), "bridges are left out");
        assert!(wrong[0].starts_with("the link of GPU 0000:01:00.0 has 8 lanes of 16"));
    }
}
