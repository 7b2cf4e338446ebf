//! What is written into which file of a control group, in both versions of the kernel's interface
//! (`Documentation/admin-guide/cgroup-v1` and `cgroup-v2.rst`). Pure: [`super::Group`] writes it.

/// The version of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// A hierarchy for each controller.
    One,
    /// One hierarchy for all.
    Two,
}

/// A file and what goes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The controller, by its name in version 1.
    pub controller: &'static str,
    pub file: &'static str,
    pub text: String,
}

/// The number of a block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub major: u64,
    pub minor: u64,
}

/// Over how long a quota of processor time is counted. Half of the kernel's default: a rank's step has hundred milliseconds, and one
/// that waits for a period's end should not wait for a whole step.
const PERIOD_US: u64 = 50_000;
/// The least quota that the kernel takes.
const QUOTA_MIN_US: u64 = 1_000;

fn setting(controller: &'static str, file: &'static str, text: String) -> Setting {
    Setting { controller, file, text }
}

/// So many cores at most, or as many as there are.
pub(crate) fn processor(version: Version, cores: Option<f64>) -> Vec<Setting> {
    let quota = cores.map(|cores| ((cores * PERIOD_US as f64) as u64).max(QUOTA_MIN_US));
    match version {
        Version::One => vec![
            setting("cpu", "cpu.cfs_period_us", PERIOD_US.to_string()),
            setting("cpu", "cpu.cfs_quota_us", quota.map_or("-1".to_owned(), |quota| quota.to_string())),
        ],
        Version::Two => {
            let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
            vec![setting("cpu", "cpu.max", format!("{quota} {PERIOD_US}"))]
        }
    }
}

/// How many times as much as everybody a group weighs beside others who want the same core.
pub(crate) fn weight(version: Version, times: f64) -> Vec<Setting> {
    match version {
        // The least that the kernel takes is 2.
        Version::One => vec![setting("cpu", "cpu.shares", ((times * 1024.0) as u64).max(2).to_string())],
        Version::Two => vec![setting("cpu", "cpu.weight", ((times * 100.0) as u64).max(1).to_string())],
    }
}

/// So many bytes at most, or as many as there are. Version 2 slows whoever is above, and kills nobody.
pub(crate) fn memory(version: Version, bytes: Option<u64>) -> Vec<Setting> {
    match version {
        Version::One => {
            let text = bytes.map_or("-1".to_owned(), |bytes| bytes.to_string());
            vec![setting("memory", "memory.limit_in_bytes", text)]
        }
        Version::Two => {
            let text = bytes.map_or("max".to_owned(), |bytes| bytes.to_string());
            vec![setting("memory", "memory.high", text)]
        }
    }
}

/// So many bytes each second at most are read from a disk, and written to it; or as many as it does.
pub(crate) fn disk(version: Version, disk: Disk, read: Option<u64>, write: Option<u64>) -> Vec<Setting> {
    let Disk { major, minor } = disk;
    match version {
        // Zero takes the rule back.
        Version::One => vec![
            setting("blkio", "blkio.throttle.read_bps_device", format!("{major}:{minor} {}", read.unwrap_or(0))),
            setting("blkio", "blkio.throttle.write_bps_device", format!("{major}:{minor} {}", write.unwrap_or(0))),
        ],
        Version::Two => {
            let rate = |rate: Option<u64>| rate.map_or("max".to_owned(), |rate| rate.to_string());
            let text = format!("{major}:{minor} rbps={} wbps={}", rate(read), rate(write));
            vec![setting("blkio", "io.max", text)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[Setting], expected: &[(&str, &str)]) {
        let found: Vec<_> = settings.iter().map(|setting| (setting.file, setting.text.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn both_versions_are_told_the_same() {
        check(&processor(Version::One, Some(0.2)), &[("cpu.cfs_period_us", "50000"), ("cpu.cfs_quota_us", "10000")]);
        check(&processor(Version::Two, Some(0.2)), &[("cpu.max", "10000 50000")]);
        check(&processor(Version::Two, Some(0.001)), &[("cpu.max", "1000 50000")]);
        check(&weight(Version::One, 0.5), &[("cpu.shares", "512")]);
        check(&weight(Version::Two, 0.5), &[("cpu.weight", "50")]);
        check(&memory(Version::One, Some(4096)), &[("memory.limit_in_bytes", "4096")]);
        check(&memory(Version::Two, Some(4096)), &[("memory.high", "4096")]);
        let vda = Disk { major: 254, minor: 0 };
        check(
            &disk(Version::One, vda, Some(7), None),
            &[("blkio.throttle.read_bps_device", "254:0 7"), ("blkio.throttle.write_bps_device", "254:0 0")],
        );
        check(&disk(Version::Two, vda, Some(7), None), &[("io.max", "254:0 rbps=7 wbps=max")]);
    }

    #[test]
    fn both_versions_are_told_that_it_is_over() {
        check(&processor(Version::One, None), &[("cpu.cfs_period_us", "50000"), ("cpu.cfs_quota_us", "-1")]);
        check(&processor(Version::Two, None), &[("cpu.max", "max 50000")]);
        check(&memory(Version::One, None), &[("memory.limit_in_bytes", "-1")]);
        check(&memory(Version::Two, None), &[("memory.high", "max")]);
    }
}
