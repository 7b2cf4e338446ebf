//! Lists of nodes as Slurm shortens them: `n[1-4,7],login,rack[01-02]-[1-2]`. Pure.

use fleet::text::shown;

use crate::bound::NAME_MAX;

/// The most nodes one list may name.
pub(super) const HOSTS_MAX: usize = 100_000;

/// The names a list stands for, in its order.
pub(super) fn expand(list: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    if matches!(list, "" | "None assigned" | "(null)" | "None" | "N/A") {
        return Ok(names);
    }
    for part in split_outside_brackets(list).ok_or_else(|| refuse(list, "a bracket is not closed"))? {
        expand_one(part, &mut names).map_err(|reason| refuse(list, reason))?;
    }
    Ok(names)
}

fn refuse(list: &str, reason: &str) -> String {
    format!("`{}` is not a list of nodes ({reason}); expected one such as n[1-4,7]", shown(list))
}

fn split_outside_brackets(list: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, false);
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'[' if open => return None,
            b'[' => open = true,
            b']' if !open => return None,
            b']' => open = false,
            b',' if !open => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    (!open).then_some(parts)
}

/// Expands one name with any number of brackets; the last runs fastest, as in Slurm.
fn expand_one(pattern: &str, names: &mut Vec<String>) -> Result<(), &'static str> {
    let mut stems = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, behind) = after.split_once(']').ok_or("a bracket is not closed")?;
        let mut grown = Vec::new();
        for stem in &stems {
            for range in inside.split(',') {
                numbers(range, |number| {
                    grown.push(format!("{stem}{before}{number}"));
                    if names.len() + grown.len() > HOSTS_MAX { Err("more than 100,000 nodes") } else { Ok(()) }
                })?;
            }
        }
        stems = grown;
        rest = behind;
    }
    for mut stem in stems {
        stem.push_str(rest);
        if stem.is_empty() || stem.len() > NAME_MAX {
            return Err("a name is empty or too long");
        }
        if names.len() >= HOSTS_MAX {
            return Err("more than 100,000 nodes");
        }
        names.push(stem);
    }
    Ok(())
}

/// Hands out the numbers of `7` or `08-12`, with the zeros before them.
fn numbers(range: &str, mut each: impl FnMut(&str) -> Result<(), &'static str>) -> Result<(), &'static str> {
    let (from, until) = range.split_once('-').unwrap_or((range, range));
    let parse = |text: &str| -> Result<u64, &'static str> {
        if text.is_empty() || text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a number is missing");
        }
        text.parse().map_err(|_| "a number is missing")
    };
    let (first, last) = (parse(from)?, parse(until)?);
    if first > last {
        return Err("a range runs backwards");
    }
    for number in first..=last {
        each(&format!("{number:0width$}", width = from.len()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expected: &[&str]) {
        assert_eq!(expand(list).unwrap(), expected, "{list}");
    }

    #[test]
    fn lists_are_spelt_out() {
        check("", &[]);
        check("None assigned", &[]);
        check("n1", &["n1"]);
        check("n[1-3,7],login", &["n1", "n2", "n3", "n7", "login"]);
        check("gpu[08-11]", &["gpu08", "gpu09", "gpu10", "gpu11"]);
        check("r[1-2]n[1-2]x", &["r1n1x", "r1n2x", "r2n1x", "r2n2x"]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for list in ["n[1-", "n1]", "n[[1]]", "n[a]", "n[3-1]", "n[]", ",", "n[0-99999999999]", "a[1-400]b[1-400]"] {
            assert!(expand(list).is_err(), "{list}");
        }
    }
}
