//! How much memory there is for this process.

use std::fs;

/// Bytes that this process may still take, as far as can be told: what the system could give away, or less where its control group
/// (version 2 or 1) allows less.
pub fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| of_meminfo(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let allowed = groups.lines().filter_map(|line| left_of_group(line, |path| fs::read_to_string(path).ok())).min();
    system.into_iter().chain(allowed).min()
}

/// What `/proc/meminfo` says is available.
fn of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// What a control group leaves, of a line of `/proc/self/cgroup`: number, controllers, path.
fn left_of_group(line: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let path = path.trim_end_matches('/');
    let (limit, used) = match controllers {
        "" => (format!("/sys/fs/cgroup{path}/memory.max"), format!("/sys/fs/cgroup{path}/memory.current")),
        _ if controllers.split(',').any(|controller| controller == "memory") => (
            format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"),
            format!("/sys/fs/cgroup/memory{path}/memory.usage_in_bytes"),
        ),
        _ => return None,
    };
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    // Without a limit, the first is the word "max", or a number that no machine has.
    Some(number(&limit)?.saturating_sub(number(&used)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(of_meminfo("MemTotal:  100 kB\nMemAvailable:   42 kB\n"), Some(42 << 10));
        assert_eq!(of_meminfo("MemTotal: 100 kB\n"), None);
        let files = |path: &str| {
            let text = match path {
                "/sys/fs/cgroup/job/memory.max" => "1000\n",
                "/sys/fs/cgroup/job/memory.current" => "400\n",
                "/sys/fs/cgroup/free/memory.max" => "max\n",
                "/sys/fs/cgroup/memory/old/memory.limit_in_bytes" => "500\n",
                "/sys/fs/cgroup/memory/old/memory.usage_in_bytes" => "600\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        assert_eq!(left_of_group("0::/job", files), Some(600));
        assert_eq!(left_of_group("0::/free", files), None);
        assert_eq!(left_of_group("4:cpu,memory:/old", files), Some(0));
        assert_eq!(left_of_group("4:cpu:/old", files), None);
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
