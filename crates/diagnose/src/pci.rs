//! Where a device is on the PCI bus, so that kernel logs and vendors' tools call it the same.

/// `0000:18:00.0`, `18:00.0`, `00000000:18:00.0` and `0000:18:00` are one place; nothing where it is none.
pub(crate) fn place(text: &str) -> Option<String> {
    let text = text.split('.').next()?.to_ascii_lowercase();
    let parts: Vec<&str> = text.split(':').collect();
    let hexadecimal = |part: &&str| !part.is_empty() && part.len() <= 8 && part.chars().all(|c| c.is_ascii_hexdigit());
    if !parts.iter().all(hexadecimal) {
        return None;
    }
    match parts[..] {
        [bus, device] => Some(format!("0000:{bus}:{device}")),
        [domain, bus, device] => {
            // NVML writes domains of 32 bits, of which all but the lower half are zeros.
            let domain = domain.strip_prefix("0000").filter(|rest| rest.len() == 4).unwrap_or(domain);
            Some(format!("{domain}:{bus}:{device}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_called_alike() {
        for (text, expected) in [
            ("0000:18:00.0", Some("0000:18:00")),
            ("18:00.0", Some("0000:18:00")),
            ("00000000:3B:00.0", Some("0000:3b:00")),
            ("00010000:3B:00.0", Some("00010000:3b:00")),
            ("0018:01:00", Some("0018:01:00")),
            ("0000:zz:00", None),
            ("card0", None),
            ("", None),
        ] {
            assert_eq!(place(text).as_deref(), expected, "{text}");
        }
    }
}
